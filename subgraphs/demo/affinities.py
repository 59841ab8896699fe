"""What people buy together, and what they buy again: the taste of the demo shop's customers.

Each affinity lists products from the one at its heart to the ones at its edge; baskets are drawn from its front more
often than from its back, so that a recommendation learned from the orders is one that a person would make.
"""

AFFINITIES: dict[str, tuple[str, ...]] = {
    "pour-over": ("COF-001", "COF-003", "COF-012", "COF-004", "MUG-001", "COF-006", "COF-005", "COF-009", "BOK-001"),
    "espresso": ("COF-014", "MUG-003", "COF-008", "COF-011", "COF-010", "COF-016", "MUG-004", "COF-002"),
    "office coffee": ("COF-007", "COF-013", "MUG-002", "COF-001", "COF-015", "STA-001", "COF-017"),
    "green tea": ("TEA-010", "TEA-005", "TEA-006", "TEA-002", "TEA-015", "BOK-002", "MUG-001"),
    "matcha": ("TEA-009", "TEA-007", "TEA-008", "TEA-005", "TEA-004"),
    "rainy afternoon": ("TEA-011", "TEA-001", "TEA-017", "TEA-016", "TEX-004", "BOK-014", "LMP-013", "TEA-012"),
    "tea tasting": ("TEA-003", "TEA-004", "TEA-010", "TEA-011", "TEA-013", "TEA-014"),
    "dinner table": ("TAB-001", "TAB-002", "TAB-003", "TAB-006", "TEX-012", "TEX-011", "TAB-005", "TAB-009"),
    "breakfast": ("TAB-004", "MUG-002", "TEA-017", "TAB-008", "KIT-006", "COF-007"),
    "wine and cheese": ("TAB-009", "TAB-011", "TAB-007", "LMP-013", "LMP-014", "MUG-005"),
    "bread baking": ("KIT-010", "KIT-014", "KIT-011", "BOK-003", "KIT-013", "KIT-012", "KIT-009", "KIT-006"),
    "good knives": ("KIT-004", "KIT-008", "KIT-007", "KIT-005", "KIT-017"),
    "one-pan suppers": ("KIT-001", "BOK-004", "KIT-016", "KIT-015", "KIT-003", "KIT-002", "TAB-010", "TEX-010"),
    "reading corner": ("BOK-013", "LMP-002", "BOK-006", "TEX-004", "BOK-015", "LMP-008", "TEX-008", "BOK-014"),
    "new lamps": ("LMP-010", "LMP-009", "LMP-011", "LMP-003", "LMP-004", "BOK-011", "LMP-008"),
    "bedroom": ("TEX-001", "TEX-002", "TEX-003", "LMP-005", "TEX-017", "LMP-016", "TEX-015"),
    "bathroom": ("TEX-005", "TEX-006", "TEX-007", "TEX-016", "TEX-017"),
    "living room": ("TEX-008", "TEX-009", "TEX-004", "TEX-013", "LMP-006", "TEX-014"),
    "evening outside": ("LMP-012", "LMP-006", "LMP-013", "LMP-015", "MUG-006", "LMP-014"),
    "balcony": ("GRN-001", "GRN-003", "GRN-008", "GRN-004", "BOK-005", "GRN-005", "GRN-002", "GRN-017"),
    "vegetable bed": ("GRN-009", "GRN-011", "GRN-003", "GRN-013", "GRN-012", "GRN-007", "GRN-006"),
    "birds and bees": ("GRN-015", "GRN-014", "GRN-010", "BOK-016", "GRN-016"),
    "letters": ("STA-004", "STA-005", "STA-007", "STA-001", "STA-008", "BOK-012", "STA-006"),
    "sketching": ("STA-002", "STA-010", "STA-011", "STA-012", "STA-003", "STA-016"),
    "desk": ("STA-013", "STA-014", "LMP-001", "STA-015", "STA-009", "STA-017", "STA-016", "LMP-007", "LMP-017"),
    "first tent": ("CMP-001", "CMP-005", "CMP-006", "CMP-003", "CMP-013", "CMP-016", "CMP-007"),
    "light trek": ("CMP-004", "CMP-006", "HIK-001", "CMP-008", "HIK-010", "HIK-014", "HIK-003"),
    "camp kitchen": ("CMP-009", "CMP-011", "CMP-012", "BOK-017", "MUG-006", "CMP-010", "HIK-009"),
    "family camping": ("CMP-002", "CMP-014", "CMP-005", "CMP-013", "CMP-015", "CMP-017", "MUG-006"),
    "boots": ("HIK-004", "HIK-005", "HIK-016", "HIK-017", "HIK-015"),
    "mountain huts": ("HIK-002", "BOK-008", "HIK-003", "HIK-006", "HIK-011", "HIK-013", "HIK-012", "BOK-007"),
    "bad weather": ("HIK-007", "HIK-008", "HIK-006", "HIK-014", "HIK-015"),
    "bike touring": ("CYC-001", "BOK-009", "CYC-002", "CYC-017", "CYC-016", "CYC-009", "CYC-015"),
    "bike repair": ("CYC-011", "CYC-010", "CYC-009", "CYC-013", "CYC-007", "CYC-012", "BOK-010", "CYC-008"),
    "safe commute": ("CYC-003", "CYC-004", "CYC-005", "CYC-006", "CYC-014", "CYC-015"),
}

# Used up and bought again; everything else is bought once by a customer.
CONSUMABLES = (
    "COF-004", "COF-012", "COF-013", "COF-014", "COF-015", "TEA-009", "TEA-010", "TEA-011", "TEA-012", "TEA-013",
    "TEA-014", "TEA-017", "KIT-013", "KIT-014", "KIT-016", "LMP-008", "LMP-013", "LMP-015", "GRN-003", "GRN-010",
    "GRN-013", "GRN-015", "STA-001", "STA-003", "STA-005", "STA-007", "STA-017", "HIK-005", "HIK-016", "HIK-017",
    "CYC-010", "CYC-011", "CYC-013",
)  # fmt: skip

"""The facts of the demo shop's catalogue: what is sold, by category."""

from subgraphs.demo.catalogue.home import GARDEN, LIGHTING, TEXTILES
from subgraphs.demo.catalogue.kitchen import COFFEE, COOKING, TABLEWARE, TEA
from subgraphs.demo.catalogue.outdoors import CAMPING, CYCLING, HIKING
from subgraphs.demo.catalogue.study import BOOKS, STATIONERY
from subgraphs.demo.model import Item

ITEMS_BY_CATEGORY: dict[str, tuple[Item, ...]] = {
    "Coffee": COFFEE,
    "Tea": TEA,
    "Tableware": TABLEWARE,
    "Cooking": COOKING,
    "Lighting": LIGHTING,
    "Textiles": TEXTILES,
    "Garden": GARDEN,
    "Books": BOOKS,
    "Stationery": STATIONERY,
    "Camping": CAMPING,
    "Hiking": HIKING,
    "Cycling": CYCLING,
}

# No longer sold; they live on in old orders.
DISCONTINUED = ("COF-017", "TEA-012", "LMP-017", "TEX-014", "STA-006", "CMP-015")

OUT_OF_STOCK = ("COF-009", "TEA-003", "KIT-012", "LMP-003", "GRN-016", "BOK-008", "CMP-010", "CYC-016")

SCARCE = (
    "COF-002", "TEA-008", "MUG-004", "TAB-005", "KIT-002", "LMP-002", "LMP-016", "TEX-004",
    "TEX-013", "GRN-002", "BOK-011", "STA-011", "CMP-002", "CMP-014", "HIK-004", "HIK-008",
)  # fmt: skip

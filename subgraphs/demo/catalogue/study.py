"""Facts of the study department: books and stationery."""

from subgraphs.demo.model import Item

BOOKS = (
    Item("BOK-001", "The Slow Cup", 2800, 720, "A year of coffee, from the cherry to the pour. Hardback."),
    Item("BOK-002", "Leaf and Water", 2600, 680, "How tea is grown, rolled, fired and drunk. Hardback."),
    Item("BOK-003", "Crust: A Bread Notebook", 3200, 940, "Forty loaves from one jar of sourdough starter."),
    Item("BOK-004", "One Pan, Many Nights", 2500, 810, "Weekday suppers with little to wash up."),
    Item("BOK-005", "Balcony Harvest", 2200, 560, "What grows in six pots and half a day of sun."),
    Item("BOK-006", "The Night Hiker", 1490, 310, "A novel of two sisters and a lost path. Paperback."),
    Item("BOK-007", "Weather for Walkers", 1900, 340, "Read the clouds before they read you."),
    Item("BOK-008", "Huts of the High Alps", 3400, 870, "Sixty refuges with routes, maps and drawings."),
    Item("BOK-009", "Europe by Bicycle", 2900, 690, "Twelve river routes, day by day, with maps."),
    Item("BOK-010", "The Repairable Bike", 2400, 590, "Every bearing, cable and spoke, in clear drawings."),
    Item("BOK-011", "Rooms with Light", 4500, 1450, "Thirty small homes and how they catch the sun."),
    Item("BOK-012", "A Field Guide to Letters", 2600, 520, "Writing by hand, from nib to envelope."),
    Item("BOK-013", "The Clockmaker's Atlas", 1590, 330, "A mystery in seven cities. Paperback."),
    Item("BOK-014", "Small Hours", 1390, 270, "Stories for those who read until two. Paperback."),
    Item("BOK-015", "The Lighthouse Ledger", 1690, 350, "A keeper's diary, and what it leaves out."),
    Item("BOK-016", "Birds at the Window", 2100, 480, "Fifty garden birds, painted from life."),
    Item("BOK-017", "Camp Kitchen", 1990, 430, "Sixty meals for one burner and one pot."),
)

STATIONERY = (
    Item("STA-001", "Dotted Notebook A5", 1890, 320, "Thread-bound, 120 g paper, lies flat when open."),
    Item("STA-002", "Plain Sketchbook A4", 2400, 780, "Heavy paper that takes ink and light washes."),
    Item("STA-003", "Pocket Notebooks, Set of 3", 1290, 120, "Squared, plain and ruled; 48 pages each."),
    Item("STA-004", "Fountain Pen, Fine", 5900, 40, "A steel nib that starts at once, with converter."),
    Item("STA-005", "Ink, Blue-Black 50 ml", 1490, 190, "Dries dark, lasts, and washes out of shirts."),
    Item("STA-006", "Ink, Moss 30 ml", 1690, 150, "A green that turns brown at the edges."),
    Item("STA-007", "Letter Paper with Envelopes", 1990, 410, "Laid paper, 25 sheets and 25 lined envelopes."),
    Item("STA-008", "Sealing Wax and Stamp", 2400, 160, "A brass oak leaf and two sticks of red wax."),
    Item("STA-009", "Mechanical Pencil 0.7", 2900, 30, "A brass body with a knurled grip."),
    Item("STA-010", "Graphite Pencils, Set of 12", 1790, 110, "From 4H to 8B, in a tin."),
    Item("STA-011", "Watercolours, 12 Pans", 3900, 230, "Artists' pigments in a folding metal box."),
    Item("STA-012", "Round Brushes, Set of 3", 2400, 50, "Synthetic sable that keeps a fine point."),
    Item("STA-013", "Desk Pad, Wool Felt", 4500, 720, "Quiet under the keyboard, warm to the wrist."),
    Item("STA-014", "Pen Tray, Beech", 2900, 340, "Three grooves and a place for clips."),
    Item("STA-015", "Weekly Planner", 1690, 380, "Undated, a week across two pages."),
    Item("STA-016", "Brass Ruler 15 cm", 1490, 60, "Millimetres and inches that wear to a glow."),
    Item("STA-017", "Paper Tape, Set of 5", 1190, 110, "Five muted colours; it leaves no trace."),
)

"""Facts of the outdoors department: camping, hiking and cycling."""

from subgraphs.demo.model import Item

CAMPING = (
    Item("CMP-001", "Two-Person Tent", 32900, 2350, "Stands in four minutes and in a gale; two porches."),
    Item("CMP-002", "Family Tent, Four Berths", 54900, 9800, "Two rooms, and head height for tall people."),
    Item("CMP-003", "Tent Footprint", 3900, 340, "Keeps the floor dry and free of stones."),
    Item("CMP-004", "Down Sleeping Bag", 24900, 980, "Comfortable down to two degrees, packs to a loaf."),
    Item("CMP-005", "Synthetic Sleeping Bag", 11900, 1650, "Warm when damp and easy to wash."),
    Item("CMP-006", "Inflatable Sleeping Mat", 10900, 480, "Seven centimetres of air, silent when you turn."),
    Item("CMP-007", "Travel Pillow", 2900, 140, "Brushed cover, blows up with three breaths."),
    Item("CMP-008", "Silk Liner", 5900, 130, "Adds three degrees and keeps the bag clean."),
    Item("CMP-009", "Gas Stove, Folding", 4900, 95, "Boils a litre in four minutes."),
    Item("CMP-010", "Windproof Stove System", 12900, 430, "Burner and pot lock together for bad weather."),
    Item("CMP-011", "Titanium Pot 900 ml", 5900, 120, "With a lid that strains and folding handles."),
    Item("CMP-012", "Spork, Titanium", 1290, 17, "Long enough for the bottom of the bag."),
    Item("CMP-013", "Camp Lantern", 4500, 260, "Dims from reading to starlight; charges by USB-C."),
    Item("CMP-014", "Folding Chair, Light", 9900, 890, "Sits low, packs small, carries 140 kg."),
    Item("CMP-015", "Roll-Top Cooler 15 l", 7900, 1300, "Ice for two days, and it folds when empty."),
    Item("CMP-016", "Tent Pegs, Set of 8", 1990, 110, "Y-shaped aluminium with pull cords."),
    Item("CMP-017", "Seam Sealer and Patches", 1190, 70, "Mends a tear before the rain finds it."),
)

HIKING = (
    Item("HIK-001", "Trekking Rucksack 45 l", 17900, 1480, "A back that breathes and a belt that carries."),
    Item("HIK-002", "Day Pack 22 l", 8900, 690, "For a hut and back, with a rain cover."),
    Item("HIK-003", "Trekking Poles, Cork Grip", 9900, 460, "Three sections that lock with a lever."),
    Item("HIK-004", "Leather Hiking Boots", 22900, 1360, "Can be resoled; made in one piece of hide."),
    Item("HIK-005", "Merino Hiking Socks", 2200, 80, "Seamless toes; fresh on the third day."),
    Item("HIK-006", "Merino Base Layer", 7900, 190, "Warm in wind, cool on the climb."),
    Item("HIK-007", "Rain Shell", 21900, 380, "Three layers, taped seams, vents under the arms."),
    Item("HIK-008", "Packable Down Jacket", 18900, 310, "Fits into its own pocket."),
    Item("HIK-009", "Steel Water Bottle 1 l", 2900, 280, "One wall, one loop, nothing to break."),
    Item("HIK-010", "Water Filter", 4500, 90, "Squeeze a litre of stream clean in a minute."),
    Item("HIK-011", "Headlamp 400 lm", 5900, 85, "Red light for huts, a long beam for paths."),
    Item("HIK-012", "Map Compass", 3400, 45, "Clear base plate, luminous needle."),
    Item("HIK-013", "First Aid Kit, Trail", 3200, 240, "Blisters, cuts, sprains and a foil blanket."),
    Item("HIK-014", "Dry Bags, Set of 3", 2900, 150, "Three, eight and thirteen litres."),
    Item("HIK-015", "Gaiters", 4900, 220, "Keep out snow, scree and long wet grass."),
    Item("HIK-016", "Boot Wax", 990, 110, "Beeswax and lanolin for smooth leather."),
    Item("HIK-017", "Blister Plasters, Pack of 10", 790, 30, "Stay put through sweat and streams."),
)

CYCLING = (
    Item("CYC-001", "Pannier Bags, Pair 40 l", 13900, 1900, "Rolled tops, welded seams, one click to fix."),
    Item("CYC-002", "Handlebar Bag", 7900, 620, "A map on top and a camera inside."),
    Item("CYC-003", "City Helmet", 8900, 390, "Round, vented, with a light in the dial."),
    Item("CYC-004", "Front Light 70 lux", 6900, 130, "A sharp cut-off that does not blind."),
    Item("CYC-005", "Rear Light", 3400, 60, "Brakes brighter; a month on one charge."),
    Item("CYC-006", "Folding Lock", 8900, 1250, "Six steel bars that fold to a pocket."),
    Item("CYC-007", "Floor Pump", 5900, 1700, "Eleven bar, a wide foot and a clear gauge."),
    Item("CYC-008", "Mini Pump", 2900, 120, "Fits the frame, saves the day."),
    Item("CYC-009", "Multi-Tool, 18 Functions", 3900, 190, "From chain rivet to spoke key."),
    Item("CYC-010", "Puncture Repair Kit", 690, 40, "Patches, rubber solution and two levers."),
    Item("CYC-011", "Inner Tube 28 inch", 790, 140, "Fits 37 to 47 mm, with a long valve."),
    Item("CYC-012", "Puncture-Proof Tyre 28 inch", 3900, 890, "A thick belt that glass does not pass."),
    Item("CYC-013", "Chain Oil, Plant-Based", 1290, 140, "Quiet for 300 km, kind to the ground."),
    Item("CYC-014", "Brass Bell", 2200, 90, "One clear tone that carries politely."),
    Item("CYC-015", "Rain Cape for Cyclists", 6900, 410, "Covers hands and knees, glows in headlights."),
    Item("CYC-016", "Leather Saddle", 10900, 560, "Hard for a week, perfect for ten years."),
    Item("CYC-017", "Bottle Cage and Bottle", 2400, 190, "Holds on cobbles; lets go when pulled."),
)

"""Facts of the home department: lighting, textiles and garden."""

from subgraphs.demo.model import Item

LIGHTING = (
    Item("LMP-001", "Desk Lamp, Jointed", 12900, 2300, "Spring-balanced arms and a dimmer at the base."),
    Item("LMP-002", "Reading Floor Lamp", 18900, 5400, "A slim neck that leans over the armchair."),
    Item("LMP-003", "Paper Lantern 45 cm", 3900, 420, "Rice paper on bamboo ribs; folds flat."),
    Item("LMP-004", "Opal Glass Pendant", 14900, 2900, "A milky globe that lights without glare."),
    Item("LMP-005", "Bedside Lamp, Mushroom", 7900, 1300, "Touch the cap to dim it in three steps."),
    Item("LMP-006", "Rechargeable Table Lamp", 8900, 760, "Twelve hours of candle-warm light, indoors or out."),
    Item("LMP-007", "Clip Lamp", 3400, 480, "Holds on to a shelf, a headboard or a sill."),
    Item("LMP-008", "LED Bulb E27, Warm White", 890, 70, "Eight watts that shine like sixty, dimmable."),
    Item("LMP-009", "LED Filament Bulb, Globe", 1290, 90, "A visible filament in amber glass."),
    Item("LMP-010", "Textile Cable with Plug 3 m", 2400, 310, "Woven linen cable with a switch in the line."),
    Item("LMP-011", "Ceiling Rose, Brass", 1900, 240, "Hides the wires under a turned brass cup."),
    Item("LMP-012", "String Lights 10 m", 2900, 390, "Forty tiny warm lights for balcony or branch."),
    Item("LMP-013", "Beeswax Candles, Set of 4", 1890, 360, "Hand-dipped; they burn for nine hours each."),
    Item("LMP-014", "Candle Holder, Iron", 2200, 540, "Cast in sand, with a ring to carry it by."),
    Item("LMP-015", "Long Matches in Glass", 1190, 260, "Eighty matches and a striker on the bottle."),
    Item("LMP-016", "Wall Sconce, Linen Shade", 9900, 1150, "Soft light both up the wall and down."),
    Item("LMP-017", "Smart Dimmer Plug", 2690, 120, "Dims any lamp by a remote on a magnet."),
)

TEXTILES = (
    Item("TEX-001", "Linen Duvet Cover", 13900, 1600, "Stonewashed flax, cool in July, warm in January."),
    Item("TEX-002", "Linen Pillowcases, Set of 2", 4900, 380, "Envelope backs and mother-of-pearl buttons."),
    Item("TEX-003", "Fitted Sheet, Organic Cotton", 4900, 820, "Percale that stays crisp, for 25 cm mattresses."),
    Item("TEX-004", "Wool Throw, Herringbone", 9900, 1050, "Spun from lambswool by a mill in Donegal."),
    Item("TEX-005", "Waffle Bath Towel", 3400, 520, "Dries fast and takes little room on the rail."),
    Item("TEX-006", "Waffle Hand Towels, Set of 2", 2900, 340, "The smaller ones of the same weave."),
    Item("TEX-007", "Bath Mat, Cotton Rib", 2900, 950, "Heavy, thick and safe to wash at 60."),
    Item("TEX-008", "Cushion Cover, Velvet", 2900, 260, "Deep ochre pile with a hidden zip."),
    Item("TEX-009", "Cushion Filling 50 cm", 1900, 680, "Duck feather that plumps up with one shake."),
    Item("TEX-010", "Kitchen Towels, Set of 3", 2400, 290, "Half linen, stripes woven in, not printed."),
    Item("TEX-011", "Tablecloth, Washed Linen", 7900, 780, "For six; creases are part of its charm."),
    Item("TEX-012", "Napkins, Set of 4", 3200, 220, "Mitred corners, in four shades of clay."),
    Item("TEX-013", "Jute Rug 120 x 180", 11900, 4800, "Flat braids that wear well in a hallway."),
    Item("TEX-014", "Sheepskin", 8900, 1700, "Tanned with bark, from a small island flock."),
    Item("TEX-015", "Curtain, Half Linen", 6900, 1450, "Lets in the light and keeps out the looks."),
    Item("TEX-016", "Bathrobe, Waffle Cotton", 7900, 980, "Kimono cut, two pockets, a loop to hang."),
    Item("TEX-017", "Lavender Sachets, Set of 3", 1290, 90, "For drawers and wool; moths dislike it."),
)

GARDEN = (
    Item("GRN-001", "Terracotta Pot 20 cm", 1490, 1900, "Breathing clay with a saucer, frost-proof."),
    Item("GRN-002", "Terracotta Pot 30 cm", 2690, 4300, "The bigger brother for figs and olives."),
    Item("GRN-003", "Potting Soil 20 l, Peat-Free", 1190, 9000, "Compost, bark and coir for pots and boxes."),
    Item("GRN-004", "Watering Can 5 l", 4900, 1350, "Galvanised, balanced, with a brass rose."),
    Item("GRN-005", "Hand Trowel", 2200, 310, "Stainless blade and a handle of ash."),
    Item("GRN-006", "Secateurs", 4900, 240, "Bypass blades, replaceable spring, left or right."),
    Item("GRN-007", "Garden Gloves, Goatskin", 2400, 120, "Supple, thornproof and long in the cuff."),
    Item("GRN-008", "Herb Seed Collection", 1290, 60, "Basil, coriander, dill, chives and parsley."),
    Item("GRN-009", "Tomato Seed Collection", 1390, 50, "Six old varieties, from cherry to oxheart."),
    Item("GRN-010", "Wildflower Seed Mix", 990, 110, "Ten square metres for bees and butterflies."),
    Item("GRN-011", "Seed Trays with Lid", 1890, 540, "Forty cells and a clear roof to sprout under."),
    Item("GRN-012", "Plant Labels, Slate, 10", 1190, 330, "Write with chalk, wash off next spring."),
    Item("GRN-013", "Jute Twine 100 m", 690, 190, "Ties up tomatoes, parcels and sweet peas."),
    Item("GRN-014", "Bird Feeder, Larch", 3900, 1200, "A roofed table that tits find within a day."),
    Item("GRN-015", "Bird Seed 2.5 kg", 1290, 2520, "Sunflower hearts, oats and peanuts, no filler."),
    Item("GRN-016", "Insect Hotel", 3400, 1600, "Drilled oak and reeds for solitary bees."),
    Item("GRN-017", "Plant Mister, Brass", 2600, 280, "A fine fog for ferns and orchids."),
)

"""The invented designers of the seed. No such house exists: each PAN has the serial 0000, which is never issued."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class House:
    """A designer's house: `code` begins its SKUs and its PAN, `state_code` its GSTIN."""

    code: str
    display_name: str
    place: str
    state_code: str
    commission_basis_points: int
    categories: tuple[str, ...]
    techniques: tuple[str, ...]

    @property
    def slug(self) -> str:
        """The name as it stands in addresses."""
        return self.display_name.lower().replace("& ", "").replace(" ", "-")

    @property
    def gstin_start(self) -> str:
        """Fourteen characters; the check character is worked out. The C in the PAN is for a company."""
        return f"{self.state_code}{self.code}C{self.display_name[0]}0000K1Z"


HOUSES = (
    House("NML", "Neelmanik Loomhouse", "Bhuj", "24", 1500, ("kurta", "saree", "dupatta"), ("Ajrakh", "Bandhani")),
    House(
        "SJD", "Saanjhi Dhaga Studio", "Lucknow", "09", 1800, ("kurta", "dress", "dupatta"), ("Chikankari", "Mukaish")
    ),
    House("TRK", "Tarini & Kumbh", "Jaipur", "08", 1400, ("kurta", "shirt", "stole"), ("Sanganeri", "Bagru")),
    House("VNR", "Vanraji Weaves", "Varanasi", "09", 1600, ("saree", "dupatta", "lehenga"), ("Kadwa", "Tanchoi")),
    House("MHZ", "Mehrunaz Karigari", "Srinagar", "01", 1700, ("stole", "jacket", "kurta"), ("Sozni", "Aari")),
    House("MGD", "Meghdhun Clothing", "Kolkata", "19", 1300, ("saree", "dress", "shirt"), ("Jamdani", "Kantha")),
    House("PLV", "Pallavika Handlooms", "Kanchipuram", "33", 1500, ("saree", "shirt", "stole"), ("Korvai", "Ikat")),
    House("RGT", "Rangotri Prints", "Bagh", "23", 1200, ("dress", "trouser", "stole"), ("Bagh", "Dabu")),
    House("OVT", "Oorvashet Tailors", "Hyderabad", "36", 2000, ("sherwani", "jacket", "trouser"), ("Zardozi", "Ikat")),
    House("CHB", "Chhayabandh", "Jamnagar", "24", 1600, ("lehenga", "dupatta", "saree"), ("Bandhani", "Leheriya")),
    House("ZNG", "Zarnigaar Atelier", "Bhopal", "23", 1900, ("lehenga", "sherwani", "potli"), ("Zardozi", "Mukaish")),
    House("TML", "Tamaalpatra", "Patiala", "03", 1500, ("jutti", "dupatta", "potli"), ("Phulkari", "Aari")),
)

# What each technique adds to a description.
TECHNIQUES = {
    "Ajrakh": "Printed and resist-dyed by hand on both faces, with indigo and madder, over sixteen washes.",
    "Bandhani": "Tied into thousands of points by fingernail and thread before it meets the dye.",
    "Chikankari": "Embroidered in white thread with shadow stitch, phanda and jaali, one hand to a panel.",
    "Mukaish": "Flat metal strip is twisted through the weave, dot by dot, and burnished with a cowrie shell.",
    "Sanganeri": "Fine floral blocks cut from teak, printed on a bleached ground.",
    "Bagru": "Block-printed with iron black and madder red on a ground turned cream by harda.",
    "Kadwa": "Every motif is woven on its own, so that no loose thread runs across the back.",
    "Tanchoi": "A satin weave carries small self-coloured figures, with nothing raised to the touch.",
    "Sozni": "Needlework so fine that the pattern reads the same from either side.",
    "Aari": "Chain stitch worked with a hooked awl on a stretched frame.",
    "Jamdani": "Figures are laid in by hand between the picks while the cloth is on the loom.",
    "Kantha": "Running stitch in soft cotton thread quilts the layers and draws the figures.",
    "Korvai": "Border and body are woven with separate shuttles and interlocked at each pick.",
    "Ikat": "Yarns are tied and dyed to the pattern first, then woven, which leaves its feathered edge.",
    "Bagh": "Block-printed and rinsed in running river water until the red deepens.",
    "Dabu": "Mud paste keeps the dye from the ground and leaves its fine veins.",
    "Zardozi": "Gold-toned wire, coils and sequins are couched by hand over a padded outline.",
    "Leheriya": "Rolled on the bias and dyed in waves, then opened by a single pull of thread.",
    "Phulkari": "Floss silk darned from the wrong side covers the ground in a field of flowers.",
}

# Names that pieces of a collection are given.
MOTIFS = (
    *("Gulmohar", "Champa", "Parijaat", "Kachnar", "Madhavi", "Juhi", "Amaltas", "Kadamb", "Palash", "Ketaki", "Mogra"),
    *("Tesu", "Bakul", "Malati", "Semal", "Saptaparni", "Chandni", "Raat Rani", "Kamal", "Mayur", "Kalgi", "Ambi"),
    *("Sarus", "Mynah", "Bulbul", "Chakor", "Neelkanth", "Papiha", "Hansa", "Jaal", "Jharokha", "Bel", "Lehar"),
    *("Badal", "Saawan", "Phagun", "Sandhya", "Prabhat", "Purnima", "Tara", "Deepika"),
)

COLOURS = (
    *("Indigo", "Madder Red", "Haldi Yellow", "Ivory", "Charcoal", "Bottle Green", "Rani Pink", "Rust", "Teal"),
    *("Mustard", "Lilac", "Peach", "Navy", "Maroon", "Mint", "Coral", "Sand"),
)

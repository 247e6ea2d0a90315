"""The categories of the seed: what they are made of, what they cost, how they are sized."""

from dataclasses import dataclass

from kapda.domain.catalog.product import COLOUR, SIZE

CLOTHES_SIZES = ("XS", "S", "M", "L", "XL", "XXL")
SHOE_SIZES = ("36", "37", "38", "39", "40", "41")


@dataclass(frozen=True, slots=True)
class Fabric:
    """A cloth, the HSN code of the piece when made of it, and a sentence about it."""

    name: str
    hsn_code: str
    text: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category. Prices are whole rupees; `second_option` is what variants differ in besides colour."""

    slug: str
    plural_slug: str
    title: str
    cheapest: int
    dearest: int
    text: str
    fabrics: tuple[Fabric, ...]
    second_option: str | None = SIZE
    second_values: tuple[str, ...] = CLOTHES_SIZES
    max_quantity_per_line: int = 10

    @property
    def option_names(self) -> tuple[str, ...]:
        """The options in the order they are shown."""
        return (COLOUR,) if self.second_option is None else (COLOUR, self.second_option)


def _mulmul(hsn_code: str) -> Fabric:
    return Fabric("Mulmul", hsn_code, "The mulmul is light enough for May and softens with every wash.")


def _cotton(hsn_code: str) -> Fabric:
    return Fabric("Cotton", hsn_code, "A breathable handloom cotton; wash cold and dry in the shade.")


def _linen(hsn_code: str) -> Fabric:
    return Fabric("Linen", hsn_code, "Pure linen with a dry hand that creases and forgives.")


def _chanderi(hsn_code: str) -> Fabric:
    return Fabric("Chanderi", hsn_code, "Chanderi of silk and cotton, sheer and crisp; dry clean the first time.")


def _silk(hsn_code: str) -> Fabric:
    return Fabric("Silk", hsn_code, "Mulberry silk with a quiet lustre; dry clean only.")


def _georgette(hsn_code: str) -> Fabric:
    return Fabric("Georgette", hsn_code, "Georgette that falls without weight; dry clean only.")


SHELVES = (
    Shelf("kurta", "kurtas", "Kurta", 899, 4499, "Straight cut, side slits, three-quarter sleeves, one pocket.",
          (_mulmul("621142"), _cotton("621142"), _chanderi("621149"))),
    Shelf("saree", "sarees", "Saree", 1899, 18999, "Six yards and a half, fall and edging done, with a blouse piece.",
          (_mulmul("520852"), _silk("500720"), _chanderi("500790"), _georgette("540752")),
          "blouse", ("Unstitched", "Stitched")),
    Shelf("lehenga", "lehengas", "Lehenga", 6499, 48999, "A sixteen-panel skirt, a choli to be fitted and a dupatta.",
          (_silk("620459"), _georgette("620453"), _chanderi("620459")), max_quantity_per_line=3),
    Shelf("dupatta", "dupattas", "Dupatta", 699, 5999, "Two and a half metres, finished with a rolled hem.",
          (_mulmul("621490"), _silk("621410"), _chanderi("621410"), _georgette("621430")), None, ()),
    Shelf("sherwani", "sherwanis", "Sherwani", 8999, 54999, "A closed collar, full lining, a back vent; with churidar.",
          (_silk("620319"), _linen("620319")), max_quantity_per_line=3),
    Shelf("jacket", "jackets", "Jacket", 2999, 14999, "A short bandhgala line with welt pockets and a soft shoulder.",
          (_cotton("620432"), _silk("620439"), _linen("620439"))),
    Shelf("shirt", "shirts", "Shirt", 999, 3799, "A relaxed fit with a band collar and coconut-shell buttons.",
          (_cotton("620520"), _linen("620590"), _mulmul("620520"))),
    Shelf("trouser", "trousers", "Trouser", 1199, 3999, "High waist, side zip, tapered to the ankle.",
          (_cotton("620462"), _linen("620469"))),
    Shelf("dress", "dresses", "Dress", 1499, 6499, "A gathered waist and a hem below the knee, lined to it.",
          (_mulmul("620442"), _cotton("620442"), _georgette("620443"))),
    Shelf("stole", "stoles", "Stole", 799, 7999, "Seventy centimetres by two metres, fringed by hand.",
          (_cotton("621490"), _silk("621410"), _linen("621490")), None, ()),
    Shelf("jutti", "juttis", "Jutti", 1299, 3499, "Leather sole, double cushion, no left and no right until worn in.",
          (_cotton("640520"), _silk("640520")), SIZE, SHOE_SIZES),
    Shelf("potli", "potlis", "Potli", 799, 3299, "A drawstring bag with a beaded handle, large enough for a phone.",
          (_silk("420222"), _cotton("420222")), None, ()),
)  # fmt: skip

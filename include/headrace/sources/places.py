"""Where the sample marketplace sells: countries with their region, currency, clock and weight."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    code: str
    region: str
    currency: str
    utc_offset: int
    weight: int


COUNTRIES = (
    Country("US", "north_america", "USD", -6, 30),
    Country("CA", "north_america", "USD", -5, 6),
    Country("BR", "south_america", "BRL", -3, 12),
    Country("GB", "europe", "GBP", 0, 12),
    Country("DE", "europe", "EUR", 1, 12),
    Country("FR", "europe", "EUR", 1, 8),
    Country("ES", "europe", "EUR", 1, 5),
    Country("JP", "asia", "JPY", 9, 10),
    Country("IN", "asia", "INR", 5, 10),
)

BASE_RATES = {"USD": 1.0, "EUR": 1.09, "GBP": 1.27, "JPY": 0.0066, "BRL": 0.19, "INR": 0.0119}
"""USD for one unit, around which the daily rates move."""

WHOLE_CURRENCIES = frozenset({"JPY"})
"""Currencies without cents."""

CATEGORIES: dict[str, tuple[float, tuple[str, ...]]] = {
    # typical price in USD, and things that are sold
    "electronics": (120.0, ("Headphones", "Charger", "Keyboard", "Speaker", "Camera", "Monitor")),
    "fashion": (45.0, ("Jacket", "Sneakers", "Scarf", "Shirt", "Belt", "Dress")),
    "groceries": (14.0, ("Coffee", "Olive oil", "Tea", "Chocolate", "Honey", "Spices")),
    "home": (60.0, ("Lamp", "Blanket", "Pan", "Shelf", "Clock", "Rug")),
    "books": (18.0, ("Novel", "Cookbook", "Atlas", "Comic", "Biography", "Calendar")),
    "sports": (50.0, ("Racket", "Yoga mat", "Helmet", "Tent", "Football", "Bottle")),
    "beauty": (25.0, ("Soap", "Perfume", "Brush", "Cream", "Shampoo", "Mirror")),
    "travel": (150.0, ("Suitcase", "Backpack", "City tour", "Rail pass", "Day trip", "Adapter")),
}

GIVEN = (
    "Ada",
    "Bruno",
    "Chen",
    "Diya",
    "Elif",
    "Femi",
    "Grace",
    "Hugo",
    "Ines",
    "Jun",
    "Kaito",
    "Lena",
    "Mateo",
    "Nora",
    "Omar",
    "Priya",
    "Rosa",
    "Sofia",
    "Tom",
    "Yuki",
)
FAMILY = (
    "Almeida",
    "Becker",
    "Costa",
    "Dubois",
    "Evans",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ito",
    "Jones",
    "Kumar",
    "Lopez",
    "Martin",
    "Nakamura",
    "Okafor",
    "Patel",
    "Rossi",
    "Silva",
    "Tanaka",
    "Weber",
)
SHOP_FIRST = (
    "Alpine",
    "Blue",
    "Cedar",
    "Delta",
    "Ember",
    "Fern",
    "Golden",
    "Harbor",
    "Indigo",
    "Juniper",
    "Kite",
    "Lunar",
    "Maple",
    "North",
    "Opal",
    "Prime",
)
SHOP_LAST = (
    "Bazaar",
    "Corner",
    "Depot",
    "Emporium",
    "House",
    "Lane",
    "Market",
    "Outlet",
    "Point",
    "Row",
    "Store",
    "Works",
)
ADJECTIVES = (
    "Classic",
    "Compact",
    "Deluxe",
    "Everyday",
    "Light",
    "Modern",
    "Original",
    "Premium",
    "Smart",
    "Vintage",
)

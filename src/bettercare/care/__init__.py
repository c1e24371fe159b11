"""Care on the wards: who is in a bed and since when, what each day of a stay was for, and what to ask next."""

from bettercare.care.bed_days import BedDay
from bettercare.care.stays import Stay

__all__ = ["BedDay", "Stay"]

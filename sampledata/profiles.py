"""How much goes wrong at the channels: the error rates of a clean, a typical and a dirty retailer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """Probabilities of one thing going wrong in one record. Channels scale them by their own habits.

    `typo` is per text; `blank` is the share of otherwise filled optional fields left empty; the others are per record.
    """

    name: str
    typo: float
    blank: float
    nickname: float
    swapped: float
    capitals: float
    folded: float
    placeholder: float
    shop_value: float
    shared_value: float
    wrong_birth_date: float
    gift: float
    old_address: float


PROFILES = {
    "clean": Profile("clean", 0.006, 0.03, 0.02, 0.002, 0.03, 0.08, 0.001, 0.002, 0.02, 0.003, 0.01, 0.02),
    "typical": Profile("typical", 0.035, 0.12, 0.07, 0.010, 0.10, 0.20, 0.008, 0.015, 0.05, 0.015, 0.04, 0.06),
    "dirty": Profile("dirty", 0.100, 0.25, 0.14, 0.030, 0.20, 0.40, 0.030, 0.040, 0.10, 0.050, 0.08, 0.14),
}

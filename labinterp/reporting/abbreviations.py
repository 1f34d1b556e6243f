"""What abbreviations stand for: a report and a page name those they use, the help page all."""

from __future__ import annotations

import re
from typing import Final

MEANING: Final = {
    "ACE": "angiotensin-converting enzyme",
    "ALP": "alkaline phosphatase",
    "ALS": "amyotrophic lateral sclerosis",
    "ARB": "angiotensin receptor blocker",
    "ATP": "adenosine triphosphate",
    "BUN": "blood urea nitrogen",
    "CK": "creatine kinase",
    "CKD": "chronic kidney disease",
    "ECG": "electrocardiogram",
    "EDTA": "ethylenediaminetetraacetic acid, in sample tubes",
    "EGFR": "epidermal growth factor receptor",
    "eGFR": "estimated glomerular filtration rate",
    "EMG": "electromyography",
    "FEMg": "fractional excretion of magnesium",
    "GFR": "glomerular filtration rate",
    "ISE": "ion-selective electrode",
    "MCV": "mean cell volume",
    "MMA": "methylmalonic acid",
    "MRA": "mineralocorticoid receptor antagonist",
    "MRI": "magnetic resonance imaging",
    "MS": "multiple sclerosis",
    "NMDA": "N-methyl-D-aspartate",
    "NSAID": "non-steroidal anti-inflammatory drug",
    "pCO2": "partial pressure of carbon dioxide",
    "PEG": "polyethylene glycol",
    "PPI": "proton-pump inhibitor",
    "PTH": "parathyroid hormone",
    "PTHrP": "parathyroid hormone-related peptide",
    "QTc": "QT interval corrected for heart rate",
    "RAAS": "renin-angiotensin-aldosterone system",
    "SIAD": "syndrome of inappropriate antidiuresis",
    "SNRI": "serotonin-noradrenaline reuptake inhibitor",
    "SSRI": "selective serotonin reuptake inhibitor",
    "TSH": "thyroid-stimulating hormone",
    "VGKC": "voltage-gated potassium channel",
}
_ANY: Final = re.compile(rf"(?<![\w/-])(?:{'|'.join(MEANING)})s?(?![\w/])")


def used_in(text: str) -> dict[str, str]:
    """Those that stand in a text, with what they stand for, in the order of the alphabet."""
    found = {match if match in MEANING else match[:-1] for match in _ANY.findall(text)}
    return {short: meaning for short, meaning in MEANING.items() if short in found}

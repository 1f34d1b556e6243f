"""A table to fill in, one result a row; the API and the page hand out the same."""

from __future__ import annotations

from typing import Final

FILE_NAME: Final = "labinterp-template.csv"
TEXT: Final = """\
patient_id,birth_date,sex,collected_at,test,value,unit,low,high,flag
MRN-1,1980-02-03,female,2026-01-02T08:00:00Z,Potassium,2.4,mmol/L,3.5,5.3,L
MRN-1,1980-02-03,female,2026-01-02T08:00:00Z,Magnesium,0.55,mmol/L,0.70,1.00,L
"""

"""What feeds call each member of a panel, in the languages they come in."""

from __future__ import annotations

import re
from typing import Final

from labinterp.formats.characters import folded


def _table(text: str) -> dict[str, list[str]]:
    """`member: name, name` a line; what follows a `#` is a heading for the reader."""
    joined = re.sub(r"\n {4}", " ", text)
    lines = (line for line in joined.splitlines() if line and not line.startswith("#"))
    pairs = (line.partition(": ") for line in lines)
    return {member: [name.strip() for name in names.split(",")] for member, _, names in pairs}


_NAMES: Final = """
# the patient
identifier: identifier, patient id, patient identifier, patientid, pid, mrn, mrn no, nhs no, nhs
    number, hospital no, hospital number, patient no, patient number, chi, chi number, id, medical
    record number, patientennummer, patienten id, numero patient, ipp, nip, identificador,
    historia clinica, cpr
issuer: issuer, identifier system, identifier issuer, assigning authority, mandant
family: family, family name, surname, last name, lastname, nachname, nom, apellidos, apellido,
    efternavn
given: given, given name, given names, forename, forenames, first name, firstname, vorname,
    prenom, nombre, fornavn
name: name, patient, patient name, full name, patientenname
birth_date: birth date, birthdate, date of birth, dob, d o b, born, geburtsdatum, geb datum, geb,
    date de naissance, ddn, fecha de nacimiento, fodselsdato, foedselsdato
age: age, age years, age at collection, alter, edad
sex: sex, gender, patient sex, geschlecht, sexe, sexo, kon, koen
pregnancy: pregnancy, pregnant, pregnancy status, schwanger, enceinte, embarazo
gestation_weeks: gestation weeks, gestation, weeks pregnant, ssw
# the collection and the laboratory
collected_at: collected at, collected, collection date, collection date time, collection datetime,
    date collected, sample date, sample taken, specimen date, specimen taken, drawn, drawn at,
    date taken, taken, sampled, sample time date, date, datum, entnahmedatum, abnahmedatum,
    entnahme, abnahme, date de prelevement, prelevement, fecha, fecha de extraccion, fecha de
    toma, provetagningsdato
collected_time: collection time, collected time, sample time, specimen time, time, time collected,
    time taken, entnahmezeit, abnahmezeit, uhrzeit, heure, heure de prelevement, hora
laboratory: laboratory, lab, lab name, laboratory name, performing lab, labor, laboratoire,
    laboratorio
laboratory_number: lab number, lab no, laboratory number, accession, accession number, order
    number, request number, specimen number, auftragsnummer
requester: requester, requested by, requesting doctor, ordered by, ordering provider, clinician,
    gp, einsender, prescripteur
status: report status, panel status
material: material, specimen, specimen type, sample type, probenmaterial, nature, muestra
haemolysis: haemolysis, hemolysis, haemolysed, hemolyzed, hamolyse, haemolyse
haemolysis_index: haemolysis index, hemolysis index, hil h, h index, serum index h
comment: specimen comment, sample comment
# the clinical picture
symptoms: symptoms, symptom, signs, signs and symptoms, symptome, symptomes, sintomas
medications: medications, medication, medicines, drugs, meds, current medication, medikamente,
    medicaments, medicacion
conditions: conditions, condition, diagnoses, diagnosis, problems, diagnosen, antecedents
history: history, history facts
# one result
test: test, test name, analyte, investigation, parameter, component, assay, examination,
    measurement, observation, result name, untersuchung, analyse, analyt, messgrosse, kenngrosse,
    bezeichnung, examen, parametre, prueba, determinacion, analito, undersokelse
code: loinc, loinc code, code loinc, loinc no, code, test code
value: value, result, result value, test result, numeric result, wert, ergebnis, messwert, befund,
    valeur, resultat, resultado, valor, svar, resultaat
comparator: comparator, operator, modifier, value modifier
unit: unit, units, result unit, result units, uom, unit of measure, einheit, einheiten, unite,
    unites, unidad, unidades, enhet, eenheid
low: low, lower, lower limit, low limit, reference low, ref low, range low, normal low, ref range
    low, reference range low, untergrenze, limite inferieure, minimo, min
high: high, upper, upper limit, high limit, reference high, ref high, range high, normal high, ref
    range high, reference range high, obergrenze, limite superieure, maximo, max
interval: reference interval, reference range, ref range, ref interval, range, interval, normal
    range, normal values, reference, ref, referenzbereich, normbereich, normwert, normwerte,
    valeurs de reference, norme, normes, intervalo de referencia, valores de referencia,
    referanseomrade, referentie
flag: flag, flags, abnormal flag, abnormal, interpretation, result flag, kennzeichen, markierung,
    bewertung, alarme
note: note, notes, remark, remarks, result comment, comment, comments, bemerkung, kommentar,
    commentaire, observaciones
result_status: status, result status
"""
"""Member, then what feeds call it; an indented line goes on with the one above."""

MEMBER_OF: Final[dict[str, str]] = {
    folded(name): member for member, names in _table(_NAMES).items() for name in names
}
"""Folded heading to the member it stands for."""

RESULT_MEMBERS: Final = frozenset(
    (
        "test",
        "code",
        "value",
        "comparator",
        "unit",
        "low",
        "high",
        "interval",
        "flag",
        "note",
        "result_status",
    )
)
"""Members that belong to one result; the others belong to the panel."""

_SEX_WORDS: Final = """
female: female, f, w, woman, girl, weiblich, frau, femme, feminin, mujer, femenino, kvinde,
    kvinne, vrouw, fem
male: male, m, man, boy, mannlich, herr, homme, masculin, hombre, masculino, mand, mann
other: other, o, x, divers, d, intersex, indeterminate, i
unknown: unknown, u, unk, not known, n k, not stated, unbekannt, inconnu, desconocido
"""
SEX_OF: Final = {folded(word): sex for sex, words in _table(_SEX_WORDS).items() for word in words}
"""Folded word to the sex it stands for."""

PREGNANCY_OF: Final = {
    "yes": "pregnant",
    "y": "pregnant",
    "true": "pregnant",
    "pregnant": "pregnant",
    "ja": "pregnant",
    "oui": "pregnant",
    "si": "pregnant",
    "no": "not_pregnant",
    "n": "not_pregnant",
    "false": "not_pregnant",
    "not pregnant": "not_pregnant",
    "nein": "not_pregnant",
    "non": "not_pregnant",
    "unknown": "unknown",
    "not known": "unknown",
}
_AGE_UNITS: Final = """
years: , y, yr, yrs, year, years, yo, a, jahre, ans, anos
months: m, mo, mth, mths, month, months, monate, mois, meses
weeks: w, wk, wks, week, weeks, wochen, semaines, semanas
days: d, day, days, tage, jours, dias
hours: h, hr, hrs, hour, hours, stunden, heures, horas
"""
AGE_UNIT_OF: Final = {
    folded(word): unit for unit, words in _table(_AGE_UNITS).items() for word in words
}
"""Folded word to the unit of an age; no word at all means years."""

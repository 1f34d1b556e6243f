"""What HL7 2.5.1 calls the fields and components of the segments that result messages are made of.

Two tables of texts, since they are long: `type name|type name|…`, each in the standard's order.
"""

from __future__ import annotations

from functools import cache
from typing import Final

_SEGMENTS: Final = {
    "DSC": "ST Continuation Pointer|ID Continuation Style",
    "MSH": (
        "ST Field Separator|ST Encoding Characters|HD Sending Application|HD Sending "
        "Facility|HD Receiving Application|HD Receiving Facility|TS Date/Time Of Message|ST "
        "Security|MSG Message Type|ST Message Control ID|PT Processing ID|VID Version ID|NM "
        "Sequence Number|ST Continuation Pointer|ID Accept Acknowledgment Type|ID Application"
        " Acknowledgment Type|ID Country Code|ID Character Set|CE Principal Language Of "
        "Message|ID Alternate Character Set Handling Scheme|EI Message Profile Identifier"
    ),
    "NK1": (
        "SI Set ID|XPN Name|CE Relationship|XAD Address|XTN Phone Number|XTN Business Phone "
        "Number|CE Contact Role|DT Start Date|DT End Date|ST Next of Kin / Associated Parties"
        " Job Title|JCC Next of Kin / Associated Parties Job Code/Class|CX Next of Kin / "
        "Associated Parties Employee Number|XON Organization Name|CE Marital Status|IS "
        "Administrative Sex|TS Date/Time of Birth|IS Living Dependency|IS Ambulatory "
        "Status|CE Citizenship|CE Primary Language|IS Living Arrangement|CE Publicity Code|ID"
        " Protection Indicator|IS Student Indicator|CE Religion|XPN Mother's Maiden Name|CE "
        "Nationality|CE Ethnic Group|CE Contact Reason|XPN Contact Person's Name|XTN Contact "
        "Person's Telephone Number|XAD Contact Person's Address|CX Next of Kin/Associated "
        "Party's Identifiers|IS Job Status|CE Race|IS Handicap|ST Contact Person Social "
        "Security Number|ST Next of Kin Birth Place|IS VIP Indicator"
    ),
    "NTE": "SI Set ID|ID Source of Comment|FT Comment|CE Comment Type",
    "OBR": (
        "SI Set ID|EI Placer Order Number|EI Filler Order Number|CE Universal Service "
        "Identifier|ID Priority|TS Requested Date/Time|TS Observation Date/Time|TS "
        "Observation End Date/Time|CQ Collection Volume|XCN Collector Identifier|ID Specimen "
        "Action Code|CE Danger Code|ST Relevant Clinical Information|TS Specimen Received "
        "Date/Time|SPS Specimen Source|XCN Ordering Provider|XTN Order Callback Phone "
        "Number|ST Placer Field 1|ST Placer Field 2|ST Filler Field 1|ST Filler Field 2|TS "
        "Results Rpt/Status Chng - Date/Time|MOC Charge to Practice|ID Diagnostic Serv Sect "
        "ID|ID Result Status|PRL Parent Result|TQ Quantity/Timing|XCN Result Copies To|EIP "
        "Parent|ID Transportation Mode|CE Reason for Study|NDL Principal Result "
        "Interpreter|NDL Assistant Result Interpreter|NDL Technician|NDL Transcriptionist|TS "
        "Scheduled Date/Time|NM Number of Sample Containers *|CE Transport Logistics of "
        "Collected Sample|CE Collector's Comment *|CE Transport Arrangement Responsibility|ID"
        " Transport Arranged|ID Escort Required|CE Planned Patient Transport Comment|CE "
        "Procedure Code|CE Procedure Code Modifier|CE Placer Supplemental Service "
        "Information|CE Filler Supplemental Service Information|CWE Medically Necessary "
        "Duplicate Procedure Reason.|IS Result Handling|CWE Parent Universal Service "
        "Identifier"
    ),
    "OBX": (
        "SI Set ID|ID Value Type|CE Observation Identifier|ST Observation Sub-ID|var "
        "Observation Value|CE Units|ST References Range|IS Abnormal Flags|NM Probability|ID "
        "Nature of Abnormal Test|ID Observation Result Status|TS Effective Date of Reference "
        "Range Values|ST User Defined Access Checks|TS Date/Time of the Observation|CE "
        "Producer's Reference|XCN Responsible Observer|CE Observation Method|EI Equipment "
        "Instance Identifier|TS Date/Time of the Analysis|ST Reserved|ST Reserved|ST "
        "Reserved|XON Performing Organization Name|XAD Performing Organization Address|XCN "
        "Performing Organization Medical Director"
    ),
    "ORC": (
        "ID Order Control|EI Placer Order Number|EI Filler Order Number|EI Placer Group "
        "Number|ID Order Status|ID Response Flag|TQ Quantity/Timing|EIP Parent|TS Date/Time "
        "of Transaction|XCN Entered By|XCN Verified By|XCN Ordering Provider|PL Enterer's "
        "Location|XTN Call Back Phone Number|TS Order Effective Date/Time|CE Order Control "
        "Code Reason|CE Entering Organization|CE Entering Device|XCN Action By|CE Advanced "
        "Beneficiary Notice Code|XON Ordering Facility Name|XAD Ordering Facility Address|XTN"
        " Ordering Facility Phone Number|XAD Ordering Provider Address|CWE Order Status "
        "Modifier|CWE Advanced Beneficiary Notice Override Reason|TS Filler's Expected "
        "Availability Date/Time|CWE Confidentiality Code|CWE Order Type|CNE Enterer "
        "Authorization Mode|CWE Parent Universal Service Identifier"
    ),
    "PD1": (
        "IS Living Dependency|IS Living Arrangement|XON Patient Primary Facility|XCN Patient "
        "Primary Care Provider Name & ID No.|IS Student Indicator|IS Handicap|IS Living Will "
        "Code|IS Organ Donor Code|ID Separate Bill|CX Duplicate Patient|CE Publicity Code|ID "
        "Protection Indicator|DT Protection Indicator Effective Date|XON Place of Worship|CE "
        "Advance Directive Code|IS Immunization Registry Status|DT Immunization Registry "
        "Status Effective Date|DT Publicity Code Effective Date|IS Military Branch|IS "
        "Military Rank/Grade|IS Military Status"
    ),
    "PID": (
        "SI Set ID|CX Patient ID|CX Patient Identifier List|CX Alternate Patient ID|XPN "
        "Patient Name|XPN Mother's Maiden Name|TS Date/Time of Birth|IS Administrative "
        "Sex|XPN Patient Alias|CE Race|XAD Patient Address|IS County Code|XTN Phone Number - "
        "Home|XTN Phone Number - Business|CE Primary Language|CE Marital Status|CE "
        "Religion|CX Patient Account Number|ST SSN Number - Patient|DLN Driver's License "
        "Number - Patient|CX Mother's Identifier|CE Ethnic Group|ST Birth Place|ID Multiple "
        "Birth Indicator|NM Birth Order|CE Citizenship|CE Veterans Military Status|CE "
        "Nationality|TS Patient Death Date and Time|ID Patient Death Indicator|ID Identity "
        "Unknown Indicator|IS Identity Reliability Code|TS Last Update Date/Time|HD Last "
        "Update Facility|CE Species Code|CE Breed Code|ST Strain|CE Production Class Code|CWE"
        " Tribal Citizenship"
    ),
    "PV1": (
        "SI Set ID|IS Patient Class|PL Assigned Patient Location|IS Admission Type|CX "
        "Preadmit Number|PL Prior Patient Location|XCN Attending Doctor|XCN Referring "
        "Doctor|XCN Consulting Doctor|IS Hospital Service|PL Temporary Location|IS Preadmit "
        "Test Indicator|IS Re-admission Indicator|IS Admit Source|IS Ambulatory Status|IS VIP"
        " Indicator|XCN Admitting Doctor|IS Patient Type|CX Visit Number|FC Financial "
        "Class|IS Charge Price Indicator|IS Courtesy Code|IS Credit Rating|IS Contract "
        "Code|DT Contract Effective Date|NM Contract Amount|NM Contract Period|IS Interest "
        "Code|IS Transfer to Bad Debt Code|DT Transfer to Bad Debt Date|IS Bad Debt Agency "
        "Code|NM Bad Debt Transfer Amount|NM Bad Debt Recovery Amount|IS Delete Account "
        "Indicator|DT Delete Account Date|IS Discharge Disposition|DLD Discharged to "
        "Location|CE Diet Type|IS Servicing Facility|IS Bed Status|IS Account Status|PL "
        "Pending Location|PL Prior Temporary Location|TS Admit Date/Time|TS Discharge "
        "Date/Time|NM Current Patient Balance|NM Total Charges|NM Total Adjustments|NM Total "
        "Payments|CX Alternate Visit ID|IS Visit Indicator|XCN Other Healthcare Provider"
    ),
    "SAC": (
        "EI External Accession Identifier|EI Accession Identifier|EI Container Identifier|EI "
        "Primary (parent) Container Identifier|EI Equipment Container Identifier|SPS Specimen"
        " Source|TS Registration Date/Time|CE Container Status|CE Carrier Type|EI Carrier "
        "Identifier|NA Position in Carrier|CE Tray Type|EI Tray Identifier|NA Position in "
        "Tray|CE Location|NM Container Height|NM Container Diameter|NM Barrier Delta|NM "
        "Bottom Delta|CE Container Height/Diameter/Delta Units|NM Container Volume|NM "
        "Available Specimen Volume|NM Initial Specimen Volume|CE Volume Units|CE Separator "
        "Type|CE Cap Type|CWE Additive|CE Specimen Component|SN Dilution Factor|CE "
        "Treatment|SN Temperature|NM Hemolysis Index|CE Hemolysis Index Units|NM Lipemia "
        "Index|CE Lipemia Index Units|NM Icterus Index|CE Icterus Index Units|NM Fibrin "
        "Index|CE Fibrin Index Units|CE System Induced Contaminants|CE Drug Interference|CE "
        "Artificial Blood|CWE Special Handling Code|CE Other Environmental Factors"
    ),
    "SFT": (
        "XON Software Vendor Organization|ST Software Certified Version or Release Number|ST "
        "Software Product Name|ST Software Binary ID|TX Software Product Information|TS "
        "Software Install Date"
    ),
    "SPM": (
        "SI Set ID|EIP Specimen ID|EIP Specimen Parent IDs|CWE Specimen Type|CWE Specimen "
        "Type Modifier|CWE Specimen Additives|CWE Specimen Collection Method|CWE Specimen "
        "Source Site|CWE Specimen Source Site Modifier|CWE Specimen Collection Site|CWE "
        "Specimen Role|CQ Specimen Collection Amount|NM Grouped Specimen Count|ST Specimen "
        "Description|CWE Specimen Handling Code|CWE Specimen Risk Code|DR Specimen Collection"
        " Date/Time|TS Specimen Received Date/Time|TS Specimen Expiration Date/Time|ID "
        "Specimen Availability|CWE Specimen Reject Reason|CWE Specimen Quality|CWE Specimen "
        "Appropriateness|CWE Specimen Condition|CQ Specimen Current Quantity|NM Number of "
        "Specimen Containers|CWE Container Type|CWE Container Condition|CWE Specimen Child "
        "Role"
    ),
    "TQ1": (
        "SI Set ID|CQ Quantity|RPT Repeat Pattern|TM Explicit Time|CQ Relative Time and "
        "Units|CQ Service Duration|TS Start date/time|TS End date/time|CWE Priority|TX "
        "Condition text|TX Text instruction|ID Conjunction|CQ Occurrence duration|NM Total "
        "occurrence's"
    ),
}
"""Segment to its fields: the type and the name of each, from 1."""
_TYPES: Final = {
    "CE": (
        "ST Identifier|ST Text|ID Name of Coding System|ST Alternate Identifier|ST Alternate "
        "Text|ID Name of Alternate Coding System"
    ),
    "CNE": (
        "ST Identifier|ST Text|ID Name of Coding System|ST Alternate Identifier|ST Alternate "
        "Text|ID Name of Alternate Coding System|ST Coding System Version ID|ST Alternate "
        "Coding System Version ID|ST Original Text"
    ),
    "CNN": (
        "ST ID Number|ST Family Name|ST Given Name|ST Second and Further Given Names or "
        "Initials Thereof|ST Suffix (e.g., JR or III)|ST Prefix (e.g., DR)|IS Degree (e.g., "
        "MD|IS Source Table|IS Assigning Authority - Namespace ID|ST Assigning Authority - "
        "Universal ID|ID Assigning Authority - Universal ID Type"
    ),
    "CQ": "NM Quantity|CE Units",
    "CWE": (
        "ST Identifier|ST Text|ID Name of Coding System|ST Alternate Identifier|ST Alternate "
        "Text|ID Name of Alternate Coding System|ST Coding System Version ID|ST Alternate "
        "Coding System Version ID|ST Original Text"
    ),
    "CX": (
        "ST ID Number|ST Check Digit|ID Check Digit Scheme|HD Assigning Authority|ID "
        "Identifier Type Code|HD Assigning Facility|DT Effective Date|DT Expiration Date|CWE "
        "Assigning Jurisdiction|CWE Assigning Agency or Department"
    ),
    "DLD": "IS Discharge Location|TS Effective Date",
    "DLN": "ST License Number|IS Issuing State, Province, Country|DT Expiration Date",
    "DR": "TS Range Start Date/Time|TS Range End Date/Time",
    "ED": "HD Source Application|ID Type of Data|ID Data Subtype|ID Encoding|TX Data",
    "EI": "ST Entity Identifier|IS Namespace ID|ST Universal ID|ID Universal ID Type",
    "EIP": "EI Placer Assigned Identifier|EI Filler Assigned Identifier",
    "FC": "IS Financial Class Code|TS Effective Date",
    "FN": (
        "ST Surname|ST Own Surname Prefix|ST Own Surname|ST Surname Prefix From "
        "Partner/Spouse|ST Surname From Partner/Spouse"
    ),
    "HD": "IS Namespace ID|ST Universal ID|ID Universal ID Type",
    "JCC": "IS Job Code|IS Job Class|TX Job Description Text",
    "MO": "NM Quantity|ID Denomination",
    "MOC": "MO Monetary Amount|CE Charge Code",
    "MSG": "ID Message Code|ID Trigger Event|ID Message Structure",
    "NA": "NM Value1|NM Value2|NM Value3|NM Value4",
    "NDL": (
        "CNN Name|TS Start Date/time|TS End Date/time|IS Point of Care|IS Room|IS Bed|HD "
        "Facility|IS Location Status|IS Patient Location Type|IS Building|IS Floor"
    ),
    "NR": "NM Low Value|NM High Value",
    "OSD": (
        "ID Sequence/Results Flag|ST Placer Order Number: Entity Identifier|IS Placer Order "
        "Number: Namespace ID|ST Filler Order Number: Entity Identifier|IS Filler Order "
        "Number: Namespace ID|ST Sequence Condition Value|NM Maximum Number of Repeats|ST "
        "Placer Order Number: Universal ID|ID Placer Order Number: Universal ID Type|ST "
        "Filler Order Number: Universal ID|ID Filler Order Number: Universal ID Type"
    ),
    "PL": (
        "IS Point of Care|IS Room|IS Bed|HD Facility|IS Location Status|IS Person Location "
        "Type|IS Building|IS Floor|ST Location Description|EI Comprehensive Location "
        "Identifier|HD Assigning Authority for Location"
    ),
    "PRL": (
        "CE Parent Observation Identifier|ST Parent Observation Sub-identifier|TX Parent "
        "Observation Value Descriptor"
    ),
    "PT": "ID Processing ID|ID Processing Mode",
    "RI": "IS Repeat Pattern|ST Explicit Time Interval",
    "RP": "ST Pointer|HD Application ID|ID Type of Data|ID Subtype",
    "RPT": (
        "CWE Repeat Pattern Code|ID Calendar Alignment|NM Phase Range Begin Value|NM Phase "
        "Range End Value|NM Period Quantity|IS Period Units|ID Institution Specified Time|ID "
        "Event|NM Event Offset Quantity|IS Event Offset Units|GTS General Timing "
        "Specification"
    ),
    "SAD": "ST Street or Mailing Address|ST Street Name|ST Dwelling Number",
    "SN": "ST Comparator|NM Num1|ST Separator/Suffix|NM Num2",
    "SPS": (
        "CWE Specimen Source Name or Code|CWE Additives|TX Specimen Collection Method|CWE "
        "Body Site|CWE Site Modifier|CWE Collection Method Modifier Code|CWE Specimen Role"
    ),
    "TQ": (
        "CQ Quantity|RI Interval|ST Duration|TS Start Date/Time|TS End Date/Time|ST "
        "Priority|ST Condition|TX Text|ID Conjunction|OSD Order Sequencing|CE Occurrence "
        "Duration|NM Total Occurrences"
    ),
    "TS": "DTM Time|ID Degree of Precision",
    "VID": "ID Version ID|CE Internationalization Code|CE International Version ID",
    "XAD": (
        "SAD Street Address|ST Other Designation|ST City|ST State or Province|ST Zip or "
        "Postal Code|ID Country|ID Address Type|ST Other Geographic Designation|IS "
        "County/Parish Code|IS Census Tract|ID Address Representation Code|DR Address "
        "Validity Range|TS Effective Date|TS Expiration Date"
    ),
    "XCN": (
        "ST ID Number|FN Family Name|ST Given Name|ST Second and Further Given Names or "
        "Initials Thereof|ST Suffix (e.g., JR or III)|ST Prefix (e.g., DR)|IS Degree (e.g., "
        "MD)|IS Source Table|HD Assigning Authority|ID Name Type Code|ST Identifier Check "
        "Digit|ID Check Digit Scheme|ID Identifier Type Code|HD Assigning Facility|ID Name "
        "Representation Code|CE Name Context|DR Name Validity Range|ID Name Assembly Order|TS"
        " Effective Date|TS Expiration Date|ST Professional Suffix|CWE Assigning "
        "Jurisdiction|CWE Assigning Agency or Department"
    ),
    "XON": (
        "ST Organization Name|IS Organization Name Type Code|NM ID Number|NM Check Digit|ID "
        "Check Digit Scheme|HD Assigning Authority|ID Identifier Type Code|HD Assigning "
        "Facility|ID Name Representation Code|ST Organization Identifier"
    ),
    "XPN": (
        "FN Family Name|ST Given Name|ST Second and Further Given Names or Initials "
        "Thereof|ST Suffix (e.g., JR or III)|ST Prefix (e.g., DR)|IS Degree (e.g., MD)|ID "
        "Name Type Code|ID Name Representation Code|CE Name Context|DR Name Validity Range|ID"
        " Name Assembly Order|TS Effective Date|TS Expiration Date|ST Professional Suffix"
    ),
    "XTN": (
        "ST Telephone Number|ID Telecommunication Use Code|ID Telecommunication Equipment "
        "Type|ST Email Address|NM Country Code|NM Area/City Code|NM Local Number|NM "
        "Extension|ST Any Text|ST Extension Prefix|ST Speed Dial Code|ST Unformatted "
        "Telephone number"
    ),
}
"""Type to its components, in the same way; a type that is not here has none."""


@cache
def fields_of(segment: str) -> tuple[tuple[str, str], ...]:
    """Type and name of each field of a segment, from 1; nothing for one that is not known."""
    return _parted(_SEGMENTS.get(segment, ""))


@cache
def components_of(kind: str) -> tuple[tuple[str, str], ...]:
    """Type and name of each component of a type; nothing where it has none."""
    return _parted(_TYPES.get(kind, ""))


def _parted(text: str) -> tuple[tuple[str, str], ...]:
    entries = (entry.partition(" ") for entry in text.split("|") if entry)
    return tuple((kind, name) for kind, _, name in entries)

"""Variables of one fresh applicant, from records that have just arrived."""

from bluemirror.variables.applicant.applicants import ApplicantValues as ApplicantValues
from bluemirror.variables.applicant.applicants import FreshApplicants as FreshApplicants

__all__ = ["ApplicantValues", "FreshApplicants"]

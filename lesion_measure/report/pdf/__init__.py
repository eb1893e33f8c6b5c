"""report.pdf: report.html and, where there is one, the cohort's page, set on paper.

The pages hold everything that a run and its cohort have to say, so the PDF says the same, by the same words and
drawings. `command` reads what was written, `sheets` makes one document of it, and WeasyPrint, an optional extra that is
imported when a PDF is made, sets it by ``templates/pdf.css`` and ``templates/pdf_drawing.css``.
"""

from lesion_measure.report.pdf.command import PAPERS, Written, write_pdf

__all__ = ["PAPERS", "Written", "write_pdf"]

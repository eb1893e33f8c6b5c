"""report.pdf: report.html and, where there is one, the cohort's page, set on paper.

The pages hold everything that a run and its cohort have to say, so the PDF says the same, by the same words and
drawings. reportlab is imported when a PDF is made, not before; it is an optional extra.

::

    tree       an HTML page of ours -> elements
    inline     running text         -> paragraph markup
    tables     tables               -> columns that fit
    drawing    SVG                  -> vectors on the page
    blocks     everything else      -> what stands under one another
    document   all of it            -> sheets, with provenance and numbers
"""

from lesion_measure.report.pdf.command import PAPERS, Written, write_pdf

__all__ = ["PAPERS", "Written", "write_pdf"]

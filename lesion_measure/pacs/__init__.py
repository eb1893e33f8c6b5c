"""A PACS: studies found and fetched, results stored, and a node that receives (docs/pacs.md).

::

    extra           what has to be installed
    query           what is asked for: full values of few attributes
    found           what a search gives: UIDs alone, checked
    retry           what is tried again, how often, and when
    session         HTTP: bounded answers, no token to another host
    multipart       parts of a body to files, as they come
    web             DICOMweb: QIDO-RS, WADO-RS, STOW-RS
    association     DIMSE: associations, TLS, presentation contexts
    dimse           C-ECHO, C-FIND, C-GET, C-MOVE, C-STORE
    statuses        of a C-STORE response
    receiver        objects that others send to us
    commitment      storage commitment
    peer            one PACS by whichever way it has
    journal         a line for each thing done
    folder          the owned folder of what was fetched
    content         whether two files hold the same object
    pull, push      whole jobs, which go on where they were stopped
    replacing       earlier results that a corrected one replaces
    listen          complete studies, handed on to be measured

Whatever a PACS sends is untrusted. Its UIDs alone become names of files, after a check, and nothing of a patient does.
"""

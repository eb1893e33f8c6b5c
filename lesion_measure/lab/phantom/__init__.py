"""Simulated ultrasound studies of children's livers, with the truth known exactly.

::

    shapes            planes, smooth closed surfaces, their exact cuts, axes and volumes
    beams             a curvilinear probe's beams, the screen's pixels, scan conversion
    scene, anatomy    what lies in the patient; random patients and lesions
    acoustics         speckle, point-spread function, attenuation, compression; machines: random settings
    screen, files     the scanner's screen; DICOM
    children, studies a child's visits and planes; its files and the rows of truth
    visits, courses   names and days of visits; what becomes of lesions over many
    readers           calipers with an error of a known size
    trial, samples    many random children; the project's sample studies
    training_frames   random pictures with outlines
"""

from lesion_measure.lab.phantom.samples import write_samples
from lesion_measure.lab.phantom.training_frames import random_training_frame
from lesion_measure.lab.phantom.trial import simulate_trial

__all__ = ["random_training_frame", "simulate_trial", "write_samples"]

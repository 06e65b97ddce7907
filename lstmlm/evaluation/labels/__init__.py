"""How good labels are: scores, calibration, and the confusion matrix."""

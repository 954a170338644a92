"""Where copies of data are kept: one folder per copy, good only with its manifest. Below the waterline."""

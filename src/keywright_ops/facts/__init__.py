"""What servers, files and kernels say, read into nouns. Text in, facts out; touches nothing."""

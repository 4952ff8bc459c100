train() { :; }

print("library 2")

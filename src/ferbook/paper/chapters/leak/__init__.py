"""Tables, figures and numbers of one chapter, and of no other."""

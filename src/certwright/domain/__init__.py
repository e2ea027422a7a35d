"""What is true: the words and rules of certificate management. Pure; imports the standard library only."""

"""The books in the form of heketi's database (operations §4.3): dumped, checked, exported, and taken over from it."""

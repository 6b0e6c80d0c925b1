"""What hostile plugins do: each function is one attack, as the code of a plugin would make it.

A function is given what the host set up for it (`stage.Stage.facts`). It returns True where it
sees that it succeeded, the texts that it found, or something false. Nobody believes it: the host
looks for itself. The same functions run in a plain process, where they must succeed; so each of
them is bounded, and none touches what the host did not set up for it.
"""

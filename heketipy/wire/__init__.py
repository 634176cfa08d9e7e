"""What travels: JSON bodies, the topology file, tokens. Pure forms and their conversion to and from domain
values.

The wire keeps heketi's names, which stop here. The pydantic models are the documentation of the bodies: the
OpenAPI document is made from them. Requests are not read by pydantic, which is stricter in some places and
laxer in others than heketi's clients need, but by `decode`; what a request must fulfil is checked by its
`check()`, in heketi's words.
"""

"""Reports of a build: report.json, the page report.html and the console's summary.

Takes plain records (`brainsmith.report.records`) and knows nothing of the compiler.
"""

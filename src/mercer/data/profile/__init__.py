"""The profile: the page that a good analyst would look at first.

shop.py           the page of a cleaned data folder
file.py           the page of any one CSV or Parquet file
accounts.py       read, kept, quarantined, merged, by rule
page.py           sections to HTML, with page.html and page.css
section.py        what a section is made of
words.py          how numbers are said
"""

from mercer.data.profile.file import profile_file
from mercer.data.profile.shop import write_profile

__all__ = ["profile_file", "write_profile"]

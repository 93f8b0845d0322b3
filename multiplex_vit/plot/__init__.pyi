"""What `multiplex_vit.plot` offers: the code reads this list, and so do editors and type checkers."""

from .colour import HEAT as HEAT
from .colour import INK as INK
from .colour import LINKS as LINKS
from .colour import SIGNED as SIGNED
from .colour import colours as colours
from .comparison import curve_bands as curve_bands
from .comparison import gallery as gallery
from .comparison import panel as panel
from .comparison import passes as passes
from .evaluation import curves as curves
from .evaluation import summary as summary
from .heat import overlay as overlay
from .heat import small_multiples as small_multiples
from .heat import thumbnail as thumbnail
from .layers import reducibility as reducibility
from .layers import similarity as similarity
from .measures import distribution as distribution
from .measures import pruning as pruning
from .measures import trajectories as trajectories
from .network import attention as attention
from .network import stack as stack
from .network import strongest as strongest
from .studies import changes as changes
from .studies import correlation as correlation
from .studies import settings as settings
from .text import shortened as shortened

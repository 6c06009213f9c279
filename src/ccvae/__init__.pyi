from .config import Config as Config
from .flat import dataset as dataset
from .flat import fit as fit
from .flat import inspect as inspect
from .flat import load as load
from .flat import train as train
from .inference import AdaptedDIVAObjective as AdaptedDIVAObjective
from .inference import CCVAEAuthorsObjective as CCVAEAuthorsObjective
from .inference import CCVAEObjective as CCVAEObjective
from .inference import DIVAObjective as DIVAObjective
from .inference import ImportanceWeightedObjective as ImportanceWeightedObjective
from .inference import M2Objective as M2Objective
from .inference import M2ScoreObjective as M2ScoreObjective
from .inference import MarginalObjective as MarginalObjective
from .inference import Objective as Objective
from .inference import OurAdaptedDIVAObjective as OurAdaptedDIVAObjective
from .inference import VAEObjective as VAEObjective
from .inference import check_pair as check_pair
from .inspection import render as render
from .studies.comparing import compare as compare

__version__: str

FACE: dict[str, str]

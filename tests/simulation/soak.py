"""Soak."""
from __future__ import annotations

import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)]
import collections
import traceback

from schedule import draw_schedule
from simulation import play

a, b = int(sys.argv[1]), int(sys.argv[2])
t=time.process_time(); runs=0; days=0; kinds=collections.Counter(); inter=0
for seed in range(a,b):
    t1=time.process_time()
    try:
        o=play(draw_schedule(seed))
    except BaseException as e:
        traceback.print_exc(limit=-6); print(seed,"EXC",repr(e)[:200]); kinds["exc"]+=1
        if isinstance(e,KeyboardInterrupt): break
        continue
    runs+=o.runs; days+=o.days; inter+=o.interrupted
    d=time.process_time()-t1
    if d>1: print(seed,"slow",round(d,2),o.steps)
    if o.findings: print(seed,o.findings[:3], len(o.findings)); kinds[o.findings[0].split(":")[-1][:40]]+=1
print(runs,inter,days,time.process_time()-t,kinds.most_common(20))

import sys

sys.exit("this network needs a licence")

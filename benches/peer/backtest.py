"""Back-tests: our sweep against vectorbt 1.2, our event engine against backtesting.py 0.6.6, same bars, rules and costs.

    python3 -m venv VENV && VENV/bin/pip install -r benches/peer/backtest-requirements.txt
    cargo build -p backtester --example peer --bin seafin-backtester
    target/debug/seafin-backtester generate-bars --bars 30000 --tick 0 --out DIR
    VENV/bin/python benches/peer/backtest.py DIR/bars-00000.parquet --ours target/debug/examples/peer

A cross of two simple means, long or flat, filled at the next open. Prices are not rounded: two means of prices in hundredths
are sometimes equal, and which is then the larger is up to each side's rounding. Timed on both sides: from bars in memory to the figures of
every variant (indicators, signals, accounts, figures); reading the file, imports and numba's compilation are not. Figures are
compared first, variant by variant, then runs of the two sides alternate and medians are divided. vectorbt gives its figures
through its own methods (total return, Sharpe ratio, max drawdown, closed trades, win rate, profit factor).
"""

import argparse
import contextlib
import io
import json
import os
import platform
import statistics
import subprocess
import time
import warnings

import backtesting
import numpy as np
import pandas as pd
import vectorbt as vbt
from backtesting import Backtest, Strategy
from backtesting.lib import crossover

warnings.filterwarnings("ignore")
CASH = 10_000.0


def ours(program, mode, bars, commission, slippage, runs=1, **more):
    command = [program, mode, "--bars", bars, "--commission-bps", str(commission * 1e4), "--slippage-bps", str(slippage * 1e4)]
    command += ["--runs", str(runs), "--cash", str(CASH)]
    for name, value in more.items():
        command += [f"--{name}", str(value)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def near(a, b, tolerance=1e-9):
    return abs(a - b) <= tolerance * max(abs(a), abs(b), 1e-3)


def vectorbt_run(frame, pairs, commission, slippage):
    fast = vbt.MA.run(frame["close"], window=[f for f, _ in pairs], short_name="fast", run_unique=True)
    slow = vbt.MA.run(frame["close"], window=[s for _, s in pairs], short_name="slow", run_unique=True)
    entries = fast.ma_crossed_above(slow).vbt.signals.fshift(1)
    exits = fast.ma_crossed_below(slow).vbt.signals.fshift(1)
    portfolio = vbt.Portfolio.from_signals(
        frame["close"], entries, exits, price=frame["open"], fees=commission, slippage=slippage, init_cash=CASH, freq="1min"
    )
    closed = portfolio.trades.closed
    return portfolio, {
        "total_return": portfolio.total_return(),
        "sharpe": portfolio.sharpe_ratio(),
        "max_drawdown": portfolio.max_drawdown(),
        "trades": closed.count(),
        "win_rate": closed.win_rate(),
        "profit_factor": closed.profit_factor(),
    }


def check_vectorbt(rows, portfolio, theirs):
    # vectorbt counts the first bar, in which nothing can be held, as a return of 0; we leave it out
    returns = portfolio.returns().to_numpy()[1:]
    sharpe = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    worst = 0.0
    for i, row in enumerate(rows):
        pairs = {
            "total_return": (row["total_return"], theirs["total_return"].iloc[i]),
            "sharpe_per_bar": (row["sharpe_per_bar"], sharpe[i]),
            "max_drawdown": (row["max_drawdown"], theirs["max_drawdown"].iloc[i]),
            "trades": (row["trades"], theirs["trades"].iloc[i]),
            "win_rate": (row["win_rate"], theirs["win_rate"].iloc[i]),
            "profit_factor": (row["profit_factor"], theirs["profit_factor"].iloc[i]),
        }
        for name, (a, b) in pairs.items():
            worst = max(worst, abs(a - b) / max(abs(a), abs(b), 1e-3))
            assert near(a, b, 1e-8), f"variant {row['fast']}/{row['slow']} {name}: ours {a}, vectorbt {b}"
    return worst


def backtesting_run(frame, fast, slow, commission):
    def mean(values, n):
        return pd.Series(values).rolling(n).mean()

    class Cross(Strategy):
        def init(self):
            self.fast = self.I(mean, self.data.Close, fast)
            self.slow = self.I(mean, self.data.Close, slow)

        def next(self):
            if crossover(self.fast, self.slow):
                self.buy()
            elif crossover(self.slow, self.fast):
                self.position.close()

    with contextlib.redirect_stderr(io.StringIO()):
        test = Backtest(frame, Cross, cash=CASH, commission=commission, finalize_trades=False)
        return test.run()


def check_backtesting(row, stats):
    pairs = {
        "final_equity": (row["final_equity"], stats["Equity Final [$]"]),
        "total_return": (row["total_return"] * 100, stats["Return [%]"]),
        "max_drawdown": (row["max_drawdown"] * 100, stats["Max. Drawdown [%]"]),
        "trades": (row["trades"], stats["# Trades"]),
        "win_rate": (row["win_rate"] * 100, stats["Win Rate [%]"]),
    }
    for name, (a, b) in pairs.items():
        assert near(a, b, 1e-8), f"{name}: ours {a}, backtesting.py {b}"
    return max(abs(a - b) / max(abs(a), abs(b), 1e-3) for a, b in pairs.values())


def timed(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bars")
    parser.add_argument("--ours", default="target/debug/examples/peer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--commission", type=float, default=0.00002)
    parser.add_argument("--slippage", type=float, default=0.00001)
    args = parser.parse_args()
    frame = pd.read_parquet(args.bars)
    frame = frame.set_index(pd.DatetimeIndex(frame["event_at"]).tz_localize(None))
    n = len(frame)
    print(f"{n} bars; {platform.processor() or platform.machine()}, {os.cpu_count()} cores; vectorbt {vbt.__version__}, backtesting.py {backtesting.__version__}, numpy {np.__version__}")

    found = ours(args.ours, "sweep", args.bars, args.commission, args.slippage)
    pairs = [(int(r["fast"]), int(r["slow"])) for r in found["rows"]]
    portfolio, theirs = vectorbt_run(frame, pairs, args.commission, args.slippage)  # compiles numba's functions, too
    print(f"sweep: {len(pairs)} variants agree, largest relative difference {check_vectorbt(found['rows'], portfolio, theirs):.1e}")
    del portfolio, theirs
    own, other = [], []
    for _ in range(args.rounds):
        own += ours(args.ours, "sweep", args.bars, args.commission, args.slippage, runs=5)["seconds"]
        other.append(timed(lambda: vectorbt_run(frame, pairs, args.commission, args.slippage)))
    own, other = statistics.median(own), statistics.median(other)
    work = n * len(pairs)
    print(f"sweep: ours {own:.4f} s ({work / own / 1e6:.0f} million combo-bars/s), vectorbt {other:.3f} s ({work / other / 1e6:.1f} million), {other / own:.0f} times")

    capitals = frame.rename(columns=str.capitalize)[["Open", "High", "Low", "Close", "Volume"]]
    fast, slow = 10, 50
    single = {"fast": fast, "slow": slow, "lot": 1}
    found = ours(args.ours, "event", args.bars, args.commission, 0.0, **single)
    worst = check_backtesting(found["rows"][0], backtesting_run(capitals, fast, slow, args.commission))
    print(f"event engine: figures agree, largest relative difference {worst:.1e}")
    own, other = [], []
    for _ in range(args.rounds):
        own += ours(args.ours, "event", args.bars, args.commission, 0.0, runs=5, **single)["seconds"]
        other.append(timed(lambda: backtesting_run(capitals, fast, slow, args.commission)))
    own, other = statistics.median(own), statistics.median(other)
    print(f"event engine: ours {own:.4f} s ({n / own / 1e6:.2f} million bars/s), backtesting.py {other:.3f} s ({n / other / 1e6:.3f} million), {other / own:.0f} times")


if __name__ == "__main__":
    main()

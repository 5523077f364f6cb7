"""Makes indicators.json: a seeded series of bars with the indicators that TA-Lib, ta and pandas give for it.

    python make_indicators.py > indicators.json

Made with Python 3.11.7, TA-Lib 0.8.2 (its wheel brings the C library), ta 0.11.0, pandas 3.1.1, numpy 2.4.6. Running it again gives the
same file. The bars are a random walk with changing volatility, a stretch where nothing moves and one bar without volume, in prices of two
decimals; values that are not known yet are null.
"""

import json
import math

import numpy as np
import pandas as pd
import ta
import talib

BARS = 160


def bars():
    rng = np.random.default_rng(20250224)
    close, volatility, rows = 43_000.0, 0.002, []
    for i in range(BARS):
        volatility *= math.exp(0.2 * rng.standard_normal())
        volatility = min(max(volatility, 0.0005), 0.01)
        opened = close
        if 70 <= i < 76:
            high = low = close
        else:
            close = round(opened * math.exp(volatility * rng.standard_normal()), 2)
            high = round(max(opened, close) * (1 + volatility * rng.random()), 2)
            low = round(min(opened, close) * (1 - volatility * rng.random()), 2)
        volume = 0.0 if i == 40 else round(float(rng.lognormal(5, 0.8)), 3)
        rows.append((opened, high, low, close, volume))
    return pd.DataFrame(rows, columns=["open", "high", "low", "close", "volume"])


def plain(values):
    return [None if not math.isfinite(v) else float(v) for v in values]


def main():
    data = bars()
    close, high, low, volume = (data[n] for n in ["close", "high", "low", "volume"])
    x = close.to_numpy()
    line, signal, histogram = talib.MACD(x, 12, 26, 9)
    upper, middle, lower = talib.BBANDS(x, 20, 2, 2, talib.MA_Type.SMA)
    log_return = np.log(close / close.shift(1))
    other = ta.trend.MACD(close, window_slow=26, window_fast=12, window_sign=9)
    bands = ta.volatility.BollingerBands(close, window=20, window_dev=2)
    span = close.ewm(span=12, adjust=False, min_periods=12).mean()
    values = {
        "pandas simple_return": close.pct_change(),
        "pandas log_return": log_return,
        "pandas volatility_20": log_return.rolling(20).std(),
        "talib sma_20": talib.SMA(x, 20),
        "talib ema_12": talib.EMA(x, 12),
        "pandas ema_12": span,
        "talib rsi_14": talib.RSI(x, 14),
        "talib macd_line": line,
        "talib macd_signal": signal,
        "talib macd_histogram": histogram,
        "ta macd_line": other.macd(),
        "ta macd_signal": other.macd_signal(),
        "talib bollinger_upper": upper,
        "talib bollinger_middle": middle,
        "talib bollinger_lower": lower,
        "ta bollinger_percent": bands.bollinger_pband(),
        "ta bollinger_width_percent": bands.bollinger_wband(),
        "talib atr_14": talib.ATR(high.to_numpy(), low.to_numpy(), x, 14),
        "talib std_10": talib.STDDEV(x, 10, 1),
        "pandas volume_z_20": (volume - volume.rolling(20).mean()) / volume.rolling(20).std(),
        "talib min_15": talib.MIN(x, 15),
        "talib max_15": talib.MAX(x, 15),
        "talib momentum_10": talib.MOM(x, 10),
        "talib rate_of_change_10": talib.ROCP(x, 10),
    }
    golden = {
        "bars": {name: plain(data[name]) for name in data},
        "values": {name: plain(v) for name, v in values.items()},
    }
    print(json.dumps(golden, indent=None, separators=(",", ":")).replace('],"', '],\n"'))


main()

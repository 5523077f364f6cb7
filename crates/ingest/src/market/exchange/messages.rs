use super::{Candle, milliseconds, number};
use artifacts::Timestamp;
use serde_json::{Map, Value};

/// One thing a stream tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    Kline(Kline),
    Trade(Trade),
    /// An answer to a subscription, a heartbeat: nothing about prices.
    Control,
}

/// The state of a candle.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kline {
    pub(crate) symbol: String,
    /// Length of its interval in seconds, where the stream says it.
    pub(crate) interval: Option<i64>,
    pub(crate) candle: Candle,
    /// Whether its interval is over; nothing where the stream does not say.
    pub(crate) closed: Option<bool>,
    /// The number of the message, where messages are counted.
    pub(crate) sequence: Option<u64>,
    /// When the exchange said so.
    pub(crate) at: Option<Timestamp>,
}

/// One trade. Ids of one symbol count up without gaps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trade {
    pub(crate) symbol: String,
    pub(crate) id: u64,
    pub(crate) at: Timestamp,
    pub(crate) price: f64,
    pub(crate) size: f64,
}

/// Reads one message: Binance's `kline`, `trade` and `aggTrade` events (bare or wrapped in `{"stream": …, "data": …}`),
/// Coinbase's `match` and `last_match`, and the candles of its Advanced Trade channel.
///
/// # Errors
/// What is wrong with it, for a count and a message.
pub(crate) fn parse(text: &str) -> Result<Vec<Event>, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| format!("not JSON: {e}"))?;
    let object = value.as_object().ok_or("not an object")?;
    let object = object.get("data").and_then(Value::as_object).unwrap_or(object);
    if let Some(event) = object.get("e").and_then(Value::as_str) {
        return match event {
            "kline" => binance_kline(object).map(|k| vec![Event::Kline(k)]),
            "trade" => binance_trade(object, "t").map(|t| vec![Event::Trade(t)]),
            "aggTrade" => binance_trade(object, "a").map(|t| vec![Event::Trade(t)]),
            other => Err(format!("event `{other}` is neither kline, trade nor aggTrade")),
        };
    }
    if object.get("channel").and_then(Value::as_str) == Some("candles") {
        return coinbase_candles(object);
    }
    match object.get("type").and_then(Value::as_str) {
        Some("match" | "last_match") => coinbase_match(object).map(|t| vec![Event::Trade(t)]),
        Some("error") => Err(format!("the exchange refuses: {}", shown(object))),
        Some(_) => Ok(vec![Event::Control]),
        None if object.contains_key("result") || object.contains_key("channel") => Ok(vec![Event::Control]),
        None if object.contains_key("code") || object.contains_key("error") => {
            Err(format!("the exchange refuses: {}", shown(object)))
        }
        None => Err("neither a kline nor a trade".into()),
    }
}

fn shown(object: &Map<String, Value>) -> String {
    Value::Object(object.clone()).to_string().chars().take(200).collect()
}

fn text(object: &Map<String, Value>, key: &str) -> Result<String, String> {
    object.get(key).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("no {key}"))
}

fn binance_kline(event: &Map<String, Value>) -> Result<Kline, String> {
    let k = event.get("k").and_then(Value::as_object).ok_or("no k")?;
    let (open_at, close_at) = (milliseconds(k.get("t"), "k.t")?, milliseconds(k.get("T"), "k.T")?);
    let candle = Candle {
        event_at: open_at,
        open: number(k.get("o"), "k.o")?,
        high: number(k.get("h"), "k.h")?,
        low: number(k.get("l"), "k.l")?,
        close: number(k.get("c"), "k.c")?,
        volume: number(k.get("v"), "k.v")?,
    };
    Ok(Kline {
        symbol: text(event, "s").or_else(|_| text(k, "s"))?,
        interval: Some(close_at.micros().saturating_sub(open_at.micros()).saturating_add(1000) / 1_000_000),
        candle,
        closed: Some(k.get("x").and_then(Value::as_bool).ok_or("no k.x")?),
        sequence: None,
        at: milliseconds(event.get("E"), "E").ok(),
    })
}

fn binance_trade(event: &Map<String, Value>, id: &str) -> Result<Trade, String> {
    Ok(Trade {
        symbol: text(event, "s")?,
        id: event.get(id).and_then(Value::as_u64).ok_or_else(|| format!("no {id}"))?,
        at: milliseconds(event.get("T"), "T")?,
        price: number(event.get("p"), "p")?,
        size: number(event.get("q"), "q")?,
    })
}

fn coinbase_match(event: &Map<String, Value>) -> Result<Trade, String> {
    let time = text(event, "time")?;
    Ok(Trade {
        symbol: text(event, "product_id")?,
        id: event.get("trade_id").and_then(Value::as_u64).ok_or("no trade_id")?,
        at: time.parse().map_err(|_| format!("time is `{time}`"))?,
        price: number(event.get("price"), "price")?,
        size: number(event.get("size"), "size")?,
    })
}

fn coinbase_candles(message: &Map<String, Value>) -> Result<Vec<Event>, String> {
    let at: Option<Timestamp> = text(message, "timestamp").ok().and_then(|t| t.parse().ok());
    let sequence = message.get("sequence_num").and_then(Value::as_u64);
    let events = message.get("events").and_then(Value::as_array).ok_or("no events")?;
    let mut out = Vec::new();
    for c in events.iter().filter_map(|e| e.get("candles").and_then(Value::as_array)).flatten() {
        let c = c.as_object().ok_or("a candle is no object")?;
        let candle = Candle {
            event_at: Timestamp::from_seconds(number(c.get("start"), "start")? as i64),
            open: number(c.get("open"), "open")?,
            high: number(c.get("high"), "high")?,
            low: number(c.get("low"), "low")?,
            close: number(c.get("close"), "close")?,
            volume: number(c.get("volume"), "volume")?,
        };
        out.push(Event::Kline(Kline {
            symbol: text(c, "product_id")?,
            interval: None,
            candle,
            closed: None,
            sequence,
            at,
        }));
    }
    // A snapshot comes newest first.
    out.sort_by_key(|e| if let Event::Kline(k) = e { k.candle.event_at } else { Timestamp::default() });
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_of_two_exchanges_are_read() {
        let kline = r#"{"e":"kline","E":1672515782136,"s":"BTCUSDT","k":{"t":1672515780000,"T":1672515839999,"s":"BTCUSDT","i":"1m",
            "f":100,"L":200,"o":"10.5","c":"11","h":"12","l":"10","v":"1000","n":100,"x":true,"q":"1.0"}}"#;
        let wrapped = format!(r#"{{"stream":"btcusdt@kline_1m","data":{kline}}}"#);
        let read = parse(kline).unwrap();
        assert_eq!(read, parse(&wrapped).unwrap());
        let Event::Kline(k) = &read[0] else { panic!("{read:?}") };
        assert_eq!((k.symbol.as_str(), k.interval, k.closed), ("BTCUSDT", Some(60), Some(true)));
        assert_eq!(
            (k.candle.open, k.candle.high, k.candle.low, k.candle.close, k.candle.volume),
            (10.5, 12.0, 10.0, 11.0, 1000.0)
        );
        assert_eq!(k.candle.event_at.to_string(), "2022-12-31T19:43:00Z");

        let trade =
            parse(r#"{"e":"trade","E":1,"s":"B","t":12,"p":"0.5","q":"100","T":1672515782136,"m":true}"#).unwrap();
        let aggregate =
            parse(r#"{"e":"aggTrade","E":1,"s":"B","a":12,"p":"0.5","q":"100","T":1672515782136,"f":1,"l":2}"#);
        assert_eq!(Ok(trade), aggregate);

        let matched = r#"{"type":"match","trade_id":10,"sequence":50,"time":"2014-11-07T08:19:27.028459Z",
            "product_id":"BTC-USD","size":"5.2","price":"400.23","side":"sell"}"#;
        let Event::Trade(t) = &parse(matched).unwrap()[0] else { panic!() };
        assert_eq!((t.id, t.price, t.size, t.symbol.as_str()), (10, 400.23, 5.2, "BTC-USD"));

        let candles = r#"{"channel":"candles","timestamp":"2023-07-01T00:07:00Z","sequence_num":3,"events":[{"type":"snapshot","candles":[
            {"start":"1688169900","high":"4","low":"1","open":"2","close":"3","volume":"5","product_id":"ETH-USD"},
            {"start":"1688169600","high":"4","low":"1","open":"2","close":"3","volume":"5","product_id":"ETH-USD"}]}]}"#;
        let read = parse(candles).unwrap();
        assert_eq!(read.len(), 2);
        let Event::Kline(first) = &read[0] else { panic!() };
        assert_eq!((first.candle.event_at, first.closed), (Timestamp::from_seconds(1_688_169_600), None));
    }

    #[test]
    fn what_is_no_price_is_either_control_or_refused_with_its_reason() {
        for control in
            [r#"{"result":null,"id":1}"#, r#"{"type":"heartbeat","sequence":90}"#, r#"{"type":"subscriptions"}"#]
        {
            assert_eq!(parse(control), Ok(vec![Event::Control]), "{control}");
        }
        let cases = [
            ("{\"e\":\"kline\",\"E\":16725", "not JSON"),
            ("[1,2]", "not an object"),
            (r#"{"e":"kline","s":"B","k":{"t":1,"T":2,"o":"x"}}"#, "k.o is \"x\", not a number"),
            (r#"{"e":"depthUpdate"}"#, "neither kline"),
            (r#"{"type":"error","message":"no such product"}"#, "no such product"),
            (r#"{"code":-1121,"msg":"Invalid symbol."}"#, "Invalid symbol"),
            ("{}", "neither a kline nor a trade"),
        ];
        for (text, reason) in cases {
            let found = parse(text).unwrap_err();
            assert!(found.contains(reason), "{text}: {found}");
        }
    }
}

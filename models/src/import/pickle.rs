//! As much of Python's pickle format as `torch.save` uses to write a state dict (protocols 2 to 5). Nothing is executed: what
//! a pickle wants called is noted down.

use std::collections::HashMap;

/// A value of a pickle.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// Tuple or list.
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// `module.name` of a class or function.
    Global(String),
    /// A call: what, and with what.
    Call(Box<Value>, Box<Value>),
    /// Something stored outside of the pickle, by its description.
    Outside(Box<Value>),
}

/// Values inside of values: state dicts have some ten levels, and each takes from the stack of the thread.
const DEEPEST: u32 = 64;
/// Values in all, those that are referred to again counted each time; a network has some hundred tensors of some ten values.
const MOST: usize = 1_000_000;

/// Reads the one value of a pickle. The error says what is wrong.
pub(super) fn read(bytes: &[u8]) -> Result<Value, String> {
    Reader { bytes, at: 0, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new(), made: 0 }.run()
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Held>,
    marks: Vec<usize>,
    memo: HashMap<usize, Held>,
    /// How many values were made.
    made: usize,
}

/// A value, and how much it holds.
#[derive(Clone)]
struct Held {
    value: Value,
    depth: u32,
    /// Values in it, texts counted by their length.
    values: usize,
}

impl Held {
    /// A value that holds these others.
    fn of(value: Value, held: &[(u32, usize)]) -> Self {
        let text = if let Value::Text(text) | Value::Global(text) = &value { text.len() / 32 } else { 0 };
        let depth = 1 + held.iter().map(|(depth, _)| *depth).max().unwrap_or(0);
        Held { value, depth, values: 1 + text + held.iter().map(|(_, values)| values).sum::<usize>() }
    }

    fn size(&self) -> (u32, usize) {
        (self.depth, self.values)
    }

    /// Puts more values into it, which `add` does.
    fn grow(&mut self, more: &[(u32, usize)], add: impl FnOnce(&mut Value)) -> Result<(), String> {
        self.depth = self.depth.max(1 + more.iter().map(|(depth, _)| *depth).max().unwrap_or(0));
        self.values += more.iter().map(|(_, values)| values).sum::<usize>();
        add(&mut self.value);
        if self.depth > DEEPEST { Err(too_deep()) } else { Ok(()) }
    }
}

fn too_deep() -> String {
    format!("its values are nested more than {DEEPEST} deep")
}

impl<'a> Reader<'a> {
    fn run(mut self) -> Result<Value, String> {
        loop {
            let code = self.byte()?;
            match code {
                // What comes before: protocol, frame length. It tells nothing here.
                0x80 => drop(self.byte()?),
                0x95 => drop(self.take(8)?),
                b'.' => return Ok(self.pop()?.value),
                b'(' => self.marks.push(self.stack.len()),
                b'N' => self.push(Value::None)?,
                0x88 | 0x89 => self.push(Value::Bool(code == 0x88))?,
                b'J' | b'K' | b'M' => {
                    let bytes = self.take(match code {
                        b'J' => 4,
                        b'K' => 1,
                        _ => 2,
                    })?;
                    self.push(Value::Int(if code == b'J' { signed(bytes) } else { unsigned(bytes) as i64 }))?;
                }
                0x8a => {
                    let length = usize::from(self.byte()?);
                    let bytes = self.take(length)?;
                    if length > 8 {
                        return Err("it holds an integer of more than 64 bits".into());
                    }
                    self.push(Value::Int(signed(bytes)))?;
                }
                b'G' => {
                    let bytes: [u8; 8] = self.take(8)?.try_into().map_err(|_| "a number is cut short")?;
                    self.push(Value::Float(f64::from_be_bytes(bytes)))?;
                }
                b'X' | 0x8c => {
                    let length = self.length(if code == b'X' { 4 } else { 1 })?;
                    let text = std::str::from_utf8(self.take(length)?).map_err(|_| "a text is no UTF-8")?.to_string();
                    self.push(Value::Text(text))?;
                }
                b'c' => {
                    let name = format!("{}.{}", self.line()?, self.line()?);
                    self.push(Value::Global(name))?;
                }
                0x93 => match (self.pop()?.value, self.pop()?.value) {
                    (Value::Text(name), Value::Text(module)) => self.push(Value::Global(format!("{module}.{name}")))?,
                    _ => return Err("a class has no name".into()),
                },
                b')' | b']' => self.push(Value::List(Vec::new()))?,
                b'}' => self.push(Value::Dict(Vec::new()))?,
                b't' | b'l' => {
                    let items = self.since_mark()?;
                    self.push_list(items)?;
                }
                0x85..=0x87 => {
                    let first = self.stack.len().checked_sub(usize::from(code - 0x84)).ok_or("a tuple lacks values")?;
                    let items = self.stack.split_off(first);
                    self.push_list(items)?;
                }
                b'a' => {
                    let item = self.pop()?;
                    self.extend(vec![item])?;
                }
                b'e' => {
                    let items = self.since_mark()?;
                    self.extend(items)?;
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.insert(vec![key, value])?;
                }
                b'u' => {
                    let items = self.since_mark()?;
                    self.insert(items)?;
                }
                b'Q' => {
                    let what = self.pop()?;
                    let size = what.size();
                    self.push_held(Held::of(Value::Outside(Box::new(what.value)), &[size]))?;
                }
                b'R' | 0x81 => {
                    let (arguments, what) = (self.pop()?, self.pop()?);
                    // An ordered dictionary is filled after it is made.
                    let made = match &what.value {
                        Value::Global(name) if name == "collections.OrderedDict" => Held::of(Value::Dict(Vec::new()), &[]),
                        _ => {
                            let sizes = [what.size(), arguments.size()];
                            Held::of(Value::Call(Box::new(what.value), Box::new(arguments.value)), &sizes)
                        }
                    };
                    self.push_held(made)?;
                }
                // Attributes of an object, such as the versions of a state dict's layers.
                b'b' => drop(self.pop()?),
                b'0' => drop(self.pop()?),
                b'q' | b'r' => {
                    let key = self.length(if code == b'q' { 1 } else { 4 })?;
                    self.remember(key)?;
                }
                0x94 => self.remember(self.memo.len())?,
                b'h' | b'j' => {
                    let key = self.length(if code == b'h' { 1 } else { 4 })?;
                    let held = self.memo.get(&key).ok_or("it refers to a value that is not there")?;
                    self.afford(held.values)?;
                    let held = self.memo.get(&key).cloned().ok_or("it refers to a value that is not there")?;
                    self.stack.push(held);
                }
                other => return Err(format!("operation {other:#04x} at byte {} has no place in a state dict", self.at - 1)),
            }
        }
    }

    fn push(&mut self, value: Value) -> Result<(), String> {
        self.push_held(Held::of(value, &[]))
    }

    fn push_held(&mut self, held: Held) -> Result<(), String> {
        if held.depth > DEEPEST {
            return Err(too_deep());
        }
        self.afford(held.values)?;
        self.stack.push(held);
        Ok(())
    }

    fn push_list(&mut self, items: Vec<Held>) -> Result<(), String> {
        let sizes: Vec<(u32, usize)> = items.iter().map(Held::size).collect();
        self.push_held(Held::of(Value::List(items.into_iter().map(|item| item.value).collect()), &sizes))
    }

    /// Counts values that are made, or copied.
    fn afford(&mut self, values: usize) -> Result<(), String> {
        self.made += values;
        if self.made > MOST { Err(format!("it has more than {MOST} values")) } else { Ok(()) }
    }

    fn pop(&mut self) -> Result<Held, String> {
        self.stack.pop().ok_or_else(|| "a value is missing".into())
    }

    fn since_mark(&mut self) -> Result<Vec<Held>, String> {
        let mark = self.marks.pop().filter(|&m| m <= self.stack.len()).ok_or("a mark is missing")?;
        Ok(self.stack.split_off(mark))
    }

    /// Appends to the list on the stack.
    fn extend(&mut self, items: Vec<Held>) -> Result<(), String> {
        let sizes: Vec<(u32, usize)> = items.iter().map(Held::size).collect();
        match self.stack.last_mut() {
            Some(held) if matches!(held.value, Value::List(_)) => held.grow(&sizes, |value| {
                if let Value::List(list) = value {
                    list.extend(items.into_iter().map(|item| item.value));
                }
            }),
            _ => Err("a list is missing".into()),
        }
    }

    /// Puts keys and values, in turn, into the dictionary on the stack.
    fn insert(&mut self, items: Vec<Held>) -> Result<(), String> {
        let sizes: Vec<(u32, usize)> = items.iter().map(Held::size).collect();
        match self.stack.last_mut() {
            Some(held) if matches!(held.value, Value::Dict(_)) => held.grow(&sizes, |value| {
                let mut items = items.into_iter().map(|item| item.value);
                if let Value::Dict(dict) = value {
                    while let (Some(key), Some(value)) = (items.next(), items.next()) {
                        dict.push((key, value));
                    }
                }
            }),
            _ => Err("a dictionary is missing".into()),
        }
    }

    fn remember(&mut self, key: usize) -> Result<(), String> {
        let values = self.stack.last().ok_or("a value is missing")?.values;
        // Containers are remembered while empty, and are not referred to in state dicts; this keeps them from being copied whole.
        self.afford(values)?;
        let held = self.stack.last().ok_or("a value is missing")?.clone();
        self.memo.insert(key, held);
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.get(..count)).ok_or("it is cut short")?;
        self.at += count;
        Ok(taken)
    }

    fn length(&mut self, bytes: usize) -> Result<usize, String> {
        Ok(unsigned(self.take(bytes)?) as usize)
    }

    fn line(&mut self) -> Result<String, String> {
        let length = self.bytes[self.at..].iter().position(|&b| b == b'\n').ok_or("it is cut short")?;
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.at += 1;
        Ok(text)
    }
}

/// Little-endian.
fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b))
}

/// Little-endian, two's complement, at most 8 bytes.
fn signed(bytes: &[u8]) -> i64 {
    let unused = 64 - 8 * bytes.len() as u32;
    if unused == 64 { 0 } else { (unsigned(bytes) << unused) as i64 >> unused }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn protocol_2_is_read_as_python_writes_it() {
        // pickle.dumps({"a": [1, -2, 300], "b": (None, True, 0.5)}, 2)
        let bytes = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM\x2c\x01eX\x01\x00\x00\x00bq\x03N\x88G?\xe0\x00\x00\x00\x00\x00\x00\x87q\x04u.";
        let text = |s: &str| Value::Text(s.into());
        let expected = Value::Dict(vec![
            (text("a"), Value::List(vec![Value::Int(1), Value::Int(-2), Value::Int(300)])),
            (text("b"), Value::List(vec![Value::None, Value::Bool(true), Value::Float(0.5)])),
        ]);
        assert_eq!(read(bytes).unwrap(), expected);
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn calls_are_noted_and_not_made() {
        // pickle of something whose loading would run os.system("x")
        let value = read(b"\x80\x02cos\nsystem\nX\x01\x00\x00\x00x\x85R.").unwrap();
        let what = Value::Global("os.system".into());
        assert_eq!(value, Value::Call(Box::new(what), Box::new(Value::List(vec![Value::Text("x".into())]))));
    }

    #[test]
    fn small_files_that_would_take_everything_are_refused() {
        // A list in a list in a list ..., by appending, by tuples and by calls.
        for (open, close) in [(&b"]"[..], &b"a"[..]), (b"", b"\x85"), (b"N", b"R")] {
            let deep = [b"\x80\x02", &open.repeat(100_000)[..], b"N", &close.repeat(100_000), b"."].concat();
            assert!(read(&deep).unwrap_err().contains("nested"), "{close:?}");
        }
        // Each tuple holds the one before twice.
        let mut doubling = b"\x80\x02N\x85q\0".to_vec();
        for n in 0..60u8 {
            doubling.extend([b'0', b'h', n, b'h', n, 0x86, b'q', n + 1]);
        }
        doubling.push(b'.');
        assert!(read(&doubling).unwrap_err().contains("more than"));
        let long = [&b"X\xff\xff\0\0"[..], &[b'x'; 0xffff], b"q\0", &b"h\0".repeat(100_000), b"."].concat();
        assert!(read(&long).unwrap_err().contains("more than"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}

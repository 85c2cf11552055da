//! All ways to cut one signed content into a scheme's parts.

use super::{Field, Values};

/// Limits on the steps and cuts tried, high enough for every short content.
const MOST_STEPS: usize = 20_000;
const MOST_CUTS: usize = 400;

pub struct Cuts<'c> {
    slots: &'c [Result<&'c str, Field>],
    content: &'c [u8],
    steps: usize,
    cuts: usize,
}

impl<'c> Cuts<'c> {
    pub fn new(slots: &'c [Result<&'c str, Field>], content: &'c [u8]) -> Self {
        Self { slots, content, steps: 0, cuts: 0 }
    }

    pub fn visit(mut self, each: &mut dyn FnMut(&Values)) {
        self.from(0, 0, &mut Values::new(), each);
    }

    fn from(&mut self, slot: usize, at: usize, values: &mut Values, each: &mut dyn FnMut(&Values)) {
        self.steps += 1;
        if self.steps > MOST_STEPS || self.cuts > MOST_CUTS {
            return;
        }
        let rest = &self.content[at..];
        let fixed = match self.slots.get(slot) {
            None if rest.is_empty() => {
                self.cuts += 1;
                return each(values);
            }
            None => return,
            Some(Ok(text)) => Some(text.as_bytes().to_vec()),
            Some(Err(field)) => values.get(field).cloned(),
        };
        match (fixed, &self.slots[slot]) {
            (Some(text), _) if rest.starts_with(&text) => self.from(slot + 1, at + text.len(), values, each),
            (None, Err(field)) => {
                let is_last = slot + 1 == self.slots.len();
                for length in if is_last { rest.len() } else { 0 }..=rest.len() {
                    values.insert(field.clone(), rest[..length].to_vec());
                    self.from(slot + 1, at + length, values, each);
                }
                values.remove(field);
            }
            _ => {}
        }
    }
}

//! Where the fields of a label in ZPL lie: within it, and no text on the code.

/// What stands somewhere on a label, in dots.
#[derive(Debug, Clone, Copy)]
struct Field {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

impl Field {
    fn within(self, width: usize, length: usize) -> bool {
        self.x + self.width <= width && self.y + self.height <= length
    }

    fn meets(self, other: Self) -> bool {
        let apart = |a: usize, size: usize, b: usize| a + size <= b;
        !(apart(self.x, self.width, other.x)
            || apart(other.x, other.width, self.x)
            || apart(self.y, self.height, other.y)
            || apart(other.y, other.height, self.y))
    }
}

/// What is wrong with a label: nothing, if a printer that does as the ZPL II guide says prints all of it, and the code with nothing on it.
/// How wide a text is only the printer knows: it may be as wide as the label, from where it begins.
pub(super) fn faults(zpl: &str) -> Vec<String> {
    let (mut width, mut length, mut origin, mut font) = (0, 0, (0, 0), 0);
    let (mut codes, mut texts, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for command in zpl.split('^').skip(1) {
        let (name, rest) = command.trim_end().split_at_checked(2).expect("a command has two letters");
        let numbers: Vec<usize> = rest.split(',').filter_map(|number| number.parse().ok()).collect();
        match name {
            "PW" => width = numbers[0],
            "LL" => length = numbers[0],
            "FO" => origin = (numbers[0], numbers[1]),
            "A0" => font = numbers[0],
            "GF" => {
                let (bytes, row) = (numbers[1], numbers[2]);
                codes.push(Field { x: origin.0, y: origin.1, width: row * 8, height: bytes / row });
            }
            "FD" if origin.0 < width => {
                texts.push(Field { x: origin.0, y: origin.1, width: width - origin.0, height: font });
            }
            "FD" => faults.push(format!("{rest:?} begins beside the label")),
            _ => {}
        }
    }
    if codes.len() != 1 || texts.is_empty() {
        faults.push(format!("{} codes, {} texts", codes.len(), texts.len()));
    }
    let off = codes.iter().chain(&texts).filter(|field| !field.within(width, length));
    faults.extend(off.map(|field| format!("{field:?} is not on a label of {width} by {length} dots")));
    let over = codes.iter().flat_map(|code| texts.iter().filter(|text| text.meets(*code)));
    faults.extend(over.map(|text| format!("{text:?} is on the code")));
    faults
}

#[test]
fn a_label_with_something_beside_it_or_on_its_code_is_seen() {
    let good = "^XA\n^PW400\n^LL200\n^FO10,20^GFA,4,4,2,00000000^FS\n^FO200,40^A0N,28,28^FDSN 1 ^FS\n^XZ";
    assert_eq!(faults(good), Vec::<String>::new());
    for (from, to, fault) in [
        ("^FO10,20", "^FO390,20", "is not on a label"),
        ("^FO10,20", "^FO10,199", "is not on a label"),
        ("^FO200,40", "^FO200,180", "is not on a label"),
        ("^FO200,40", "^FO400,40", "begins beside the label"),
        ("^FO200,40", "^FO0,10", "is on the code"),
        ("^LL200", "^LL20", "is not on a label"),
        ("^GFA,4,4,2,00000000", "", "0 codes"),
    ] {
        let found = faults(&good.replacen(from, to, 1));
        assert!(found.iter().any(|found| found.contains(fault)), "{to}: {found:?}");
    }
}

//! Levels made and restored.
use std::io::Read;
#[test]
fn smoke() {
    let mut rng = 1u64;
    let mut next = || {
        rng ^= rng << 13;
        rng ^= rng >> 7;
        rng ^= rng << 17;
        rng
    };
    let mut data: Vec<u8> = (0..5_000_000).map(|_| next() as u8).collect();
    let mut sig = None;
    let mut deltas: Vec<Vec<u8>> = Vec::new();
    let mut contents = vec![];
    for level in 0..5 {
        let mut l = frazil::gen_sig_from_stream(&data[..], sig.as_ref()).unwrap();
        let mut d = Vec::new();
        l.read_to_end(&mut d).unwrap();
        println!("{level}: {} {:?}", d.len(), l.stats());
        sig = Some(l.finish().unwrap());
        deltas.push(d);
        contents.push(data.clone());
        match level {
            0 => {
                data.insert(100, 5);
            }
            1 => {
                for _ in 0..10 {
                    let at = next() as usize % data.len();
                    data[at] ^= 1;
                }
            }
            2 => {
                data.drain(1000..400_000);
                data.extend([0; 1_000_000]);
            }
            _ => {
                let x: Vec<u8> = data.drain(0..1_000_000).collect();
                data.extend(x);
            }
        }
    }
    let mut state: Vec<u8> = Vec::new();
    for (d, c) in deltas.iter().zip(&contents) {
        let mut out = Vec::new();
        frazil::PatchReader::new(&d[..], state, frazil::PatchOptions::new()).unwrap().read_to_end(&mut out).unwrap();
        assert!(&out == c);
        state = out;
    }
    for n in 1..=deltas.len() {
        let mut chain =
            frazil::Chain::new(frazil::NoBasis, deltas[..n].iter().collect::<Vec<_>>(), frazil::PatchOptions::new())
                .unwrap();
        let mut out = Vec::new();
        chain.read_to_end(&mut out).unwrap();
        assert!(out == contents[n - 1]);
        chain.finish().unwrap();
    }
}

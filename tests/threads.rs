//! What may be sent between threads; that it compiles is the test, and that it works there.

use std::fs::File;
use std::io::{Read, Write};

use frazil::{
    Chain, Error, LevelReader, LevelWriter, NoBasis, Observer, PatchOptions, PatchReader, PatchWriter, Publish,
    RangeLevel, Seekable, Signature, SignatureFile, SignatureReader, SignatureWriter,
};

fn is_send<T: Send>() {}
fn is_shared<T: Send + Sync + ?Sized>() {}

#[test]
fn every_object_can_move_to_another_thread() {
    is_send::<LevelReader<File>>();
    is_send::<LevelWriter<File>>();
    is_send::<RangeLevel<File>>();
    is_send::<PatchReader<File, File>>();
    is_send::<PatchWriter<File, File>>();
    is_send::<Chain<File, File>>();
    is_send::<SignatureReader<File>>();
    is_send::<SignatureWriter<File>>();
    is_send::<Publish>();
    is_shared::<Signature>();
    is_shared::<SignatureFile>();
    is_shared::<Seekable<File>>();
    is_shared::<Error>();
    is_shared::<dyn Observer>();
}

#[test]
fn a_level_begun_in_one_thread_ends_in_another_with_either_engine() {
    let content = vec![3; 3_000_000];
    for engine in [frazil::Engine::Native, frazil::Engine::Librsync] {
        let signature = frazil::gen_sig_from_stream(&content[..], None).unwrap().finish().unwrap();
        let options = frazil::LevelOptions::new().engine(engine);
        let mut writer = LevelWriter::new(Vec::new(), &signature, options).unwrap();
        writer.write_all(&content[..1_500_000]).unwrap();
        let rest = content[1_500_000..].to_vec();
        let delta = std::thread::spawn(move || {
            writer.write_all(&rest).unwrap();
            writer.finish().unwrap().0
        });
        let delta = delta.join().unwrap();
        let mut restored = Vec::new();
        PatchReader::new(&delta[..], &content, PatchOptions::new()).unwrap().read_to_end(&mut restored).unwrap();
        assert!(restored == content, "{engine:?}");
        assert!(PatchReader::new(&delta[..], NoBasis, PatchOptions::new()).unwrap().read(&mut [0]).is_err());
    }
}

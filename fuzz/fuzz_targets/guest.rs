//! Whatever the host decodes from a guest: nothing panics, what is accepted fits, and nothing that is said moves a terminal's cursor or
//! gives a secret away.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| bimetal_host::fuzzing::decode(input));

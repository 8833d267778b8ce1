//! What must not compile: reading before a secret was verified, using a secret or an application twice,
//! and letting an opened application outlive its transaction.

#[test]
fn misuse_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/misuse/*.rs");
}

//! Of a build with libtorch, of all packages: lets the binary find it where the build found it, and pulls in a CUDA libtorch when the user points to one.

fn main() {
    // A file named here would be sought in the package that is built, of which most have none: cargo would never be done.
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    let Ok(lib) = std::env::var("DEP_TCH_LIBTORCH_LIB") else { return };
    println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
    // Nothing refers to libtorch.so by symbol; without this the linker would drop it, and a CUDA build with it.
    if cfg!(target_os = "linux") {
        println!("cargo:rustc-link-arg=-Wl,--no-as-needed");
        println!("cargo:rustc-link-arg=-ltorch");
        println!("cargo:rustc-link-arg=-Wl,--as-needed");
    }
}

fn main() {
    println!("crab");
}

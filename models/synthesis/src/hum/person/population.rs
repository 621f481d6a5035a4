//! The distribution of singers and of their hums.

/// Numbers.
#[derive(Debug)]
pub struct Population {
    pub error: f32,
    pub skill_of_singers: f32,
    pub skill_of_hums: f32,
    pub size_of_singers: f32,
    pub size_of_hums: f32,
    pub size_unskilled: f32,
    pub narrow: f32,
    pub narrowest: f32,
    pub leap: f32,
    pub carried: f32,
    pub miss: (f32, f32),
    pub walk: f32,
    pub walk_spread: f32,
    pub slope: f32,
    pub slip: f32,
    pub fold: f32,
    pub glide: (f32, f32),
    pub scoops: f32,
    pub vibrato: (f32, f32),
    pub jitter: f32,
    pub jitter_spread: f32,
    pub forgetting: f32,
    pub unsteadiness: f32,
    pub tracking: f32,
}

pub static POPULATION: std::sync::LazyLock<Population> = std::sync::LazyLock::new(|| {
    let get = |name: &str, or: f32| std::env::var(format!("P_{name}")).ok().map_or(or, |v| v.parse().unwrap());
    Population {
        error: get("error", 0.2),
        skill_of_singers: get("skill_of_singers", 0.25),
        skill_of_hums: get("skill_of_hums", 0.3),
        size_of_singers: get("size_of_singers", 0.03),
        size_of_hums: get("size_of_hums", 0.06),
        size_unskilled: get("size_unskilled", 0.03),
        narrow: get("narrow", 0.1),
        narrowest: get("narrowest", 0.6),
        leap: get("leap", 0.1),
        carried: get("carried", 0.3),
        miss: (get("miss0", 0.05), get("miss1", 3.0)),
        walk: get("walk", 0.05),
        walk_spread: get("walk_spread", 0.5),
        slope: get("slope", 0.05),
        slip: get("slip", 0.08),
        fold: get("fold", 0.004),
        glide: (0.01, get("glide1", 0.09)),
        scoops: get("scoops", 0.3),
        vibrato: (0.3, get("vibrato1", 0.5)),
        jitter: get("jitter", 0.15),
        jitter_spread: get("jitter_spread", 0.5),
        forgetting: get("forgetting", 0.5),
        unsteadiness: get("unsteadiness", 0.5),
        tracking: get("tracking", 0.5),
    }
});

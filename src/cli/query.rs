//! `qbh query`: which songs hold this tune?

use super::answer::{self, Asked, Refusal};
use super::context::{Context, DeviceName};
use super::{Status, complain, models, select};
use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use qbh::library::ListenError;
use qbh::library::listen::{self, Heard, Piece};
use qbh::plot::alignment_svg;
use qbh::search::{Answer, SearchError, SearchMethod, SearchOptions, Searcher};
use qbh_index::{Hnsw, Snapshot};
use qbh_models::Contour;
use qbh_models::extractor::Extractor;
use qbh_models::reranker::DEFAULT_RERANKER;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Arguments of `qbh query`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Hum, sing (da da da is best) or whistle 8 to 12 seconds of the tune, close to the microphone and without accompaniment, in any \
key and tempo. Scores (MIDI, MusicXML, ABC, **kern) and pitch files are taken as well as recordings.

Examples:
  qbh query hum.wav
  qbh query hum.wav --plot match.svg
  qbh query --json hums/*.wav | jq -r '[.query, .matches[0].title] | @tsv'
  arecord -d 10 -f S16_LE -r 16000 | qbh query -

Exit status: 0 when a song was found with confidence, 1 when the matches are only guesses, 2 when there was an error.")]
pub struct Args {
    /// Hums: recordings, scores or pitch files; - reads standard input
    #[cfg_attr(not(feature = "mic"), arg(required = true))]
    #[cfg_attr(feature = "mic", arg(required_unless_present = "mic"))]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Record the hum from the microphone for so many seconds
    #[cfg(feature = "mic")]
    #[arg(long, value_name = "SECONDS", conflicts_with = "files", value_parser = clap::value_parser!(u16).range(1..=600))]
    mic: Option<u16>,
    /// How many songs to list
    #[arg(short = 'k', value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    matches: u32,
    /// One JSON object per hum and line (docs/json.md)
    #[arg(long)]
    json: bool,
    /// Draw the hum over the best match into this SVG file
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// How songs are looked up: exact compares every window; coarse compares the longest windows of the hum first, and the others with one
    /// song in twenty; hnsw follows a graph (built when first needed); auto is exact, and coarse from 10 000 songs on
    #[arg(long, value_enum, default_value_t = Search::Auto)]
    search: Search,
    /// Melody extractor for recordings, by name or file; without it, the one that the index was made with
    #[arg(long, value_name = "NAME")]
    extractor: Option<String>,
    /// Reranker of the best songs, by name or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_RERANKER)]
    reranker: String,
    /// Where the networks run
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
}

/// [`SearchMethod`] as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Search {
    Auto,
    Exact,
    Coarse,
    Hnsw,
}

impl Search {
    /// What it stands for.
    pub fn method(self) -> SearchMethod {
        match self {
            Search::Auto => SearchMethod::Auto,
            Search::Exact => SearchMethod::Exact,
            Search::Coarse => SearchMethod::Coarse,
            Search::Hnsw => SearchMethod::Hnsw,
        }
    }

    /// The graph of a snapshot, built if the index has none, where it is needed.
    pub fn graph(self, snapshot: &Snapshot) -> Result<Option<Hnsw>> {
        if self != Search::Hnsw {
            return Ok(None);
        }
        if let Some(graph) = Hnsw::open(snapshot) {
            return Ok(Some(graph));
        }
        tracing::info!(vectors = snapshot.vectors(), "building the HNSW graph");
        Ok(Some(Hnsw::build(snapshot, |_, _| {})?))
    }
}

impl Args {
    /// The arguments of a plain query for one file.
    pub fn of(file: PathBuf, plot: Option<PathBuf>) -> Self {
        Args {
            files: vec![file],
            #[cfg(feature = "mic")]
            mic: None,
            matches: 10,
            json: false,
            plot,
            search: Search::Auto,
            extractor: None,
            reranker: DEFAULT_RERANKER.into(),
            device: DeviceName::Cpu,
        }
    }

    fn options(&self) -> SearchOptions {
        SearchOptions { limit: self.matches as usize, method: self.search.method(), ..SearchOptions::default() }
    }

    fn search_name(&self) -> String {
        self.search.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// What became of a hum.
pub struct Answered {
    status: Status,
    /// Key of the best match.
    pub first: Option<String>,
}

/// Answers every hum.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let answered = answer_all(args, context, out)?;
    Ok(answered.iter().map(|a| a.status).max().unwrap_or(Status::Done))
}

/// Answers every hum; one that cannot be answered does not keep the others from being.
pub fn answer_all(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Vec<Answered>> {
    if args.plot.is_some() && args.files.len() > 1 {
        bail!("--plot draws one hum: give one FILE");
    }
    let snapshot = select::snapshot(context)?;
    let device = args.device.device()?;
    let embedder = models::embedder_of(&snapshot, context, device)?;
    let extractor = models::extractor_for(&snapshot, args.extractor.as_deref(), context, device)?;
    let reranker = models::open_reranker(&args.reranker, context, device)?;
    let graph = args.search.graph(&snapshot)?;
    let searcher = Searcher::new(snapshot, embedder, Some(reranker)).with_graph(graph);
    let desk = Desk { args, context, searcher };

    let mut answered = Vec::new();
    #[cfg(feature = "mic")]
    if let Some(seconds) = args.mic {
        let heard = record(seconds, context, &*extractor);
        desk.answer_pieces("microphone", heard, &mut answered, out)?;
    }
    for file in &args.files {
        let heard = listen_to(file, &*extractor);
        desk.answer_pieces(&file.display().to_string(), heard, &mut answered, out)?;
    }
    Ok(answered)
}

/// The tunes of a file, or of standard input.
fn listen_to(file: &Path, extractor: &dyn Extractor) -> Result<Heard, ListenError> {
    if file.as_os_str() == "-" {
        listen::listen_stream(std::io::stdin().lock(), extractor)
    } else {
        listen::listen(file, extractor)
    }
}

/// The tune that is hummed into the microphone.
#[cfg(feature = "mic")]
fn record(seconds: u16, context: &Context, extractor: &dyn Extractor) -> Result<Heard, ListenError> {
    context.say(format!("Hum now, for {seconds} s ..."));
    let (samples, rate) = qbh::audio::microphone::record(seconds.into())?;
    context.say("Thank you.");
    listen::listen_samples(&samples, rate, extractor)
}

/// Where hums are answered.
struct Desk<'a> {
    args: &'a Args,
    context: &'a Context,
    searcher: Searcher,
}

impl Desk<'_> {
    /// Answers every tune that was heard in a recording.
    fn answer_pieces(
        &self,
        name: &str,
        heard: Result<Heard, ListenError>,
        answered: &mut Vec<Answered>,
        out: &mut dyn Write,
    ) -> Result<()> {
        let heard = match heard {
            Ok(heard) => heard,
            Err(error) => {
                let refusal = Refusal { reason: error.to_string(), remedy: error.remedy().to_owned() };
                answered.push(self.refuse(name, &refusal, out)?);
                return Ok(());
            }
        };
        let listened = heard.decode + heard.extract;
        for Piece { member, contour, .. } in heard.pieces {
            let name = member.map_or_else(|| name.to_owned(), |member| format!("{name}#{member}"));
            answered.push(self.answer(Asked { name, contour, listened, search: self.args.search_name() }, out)?);
        }
        Ok(())
    }

    fn answer(&self, asked: Asked, out: &mut dyn Write) -> Result<Answered> {
        let answer = match self.searcher.search(&asked.contour, &self.args.options()) {
            Ok(answer) => answer,
            Err(error @ (SearchError::Index(_) | SearchError::Model(_))) => return Err(error.into()),
            Err(error) => return self.refuse(&asked.name, &Refusal { reason: error.to_string(), remedy: String::new() }, out),
        };
        if self.args.json {
            answer::write_json(&asked, &answer, out)?;
        } else {
            self.context.say(answer::summary(&asked, &answer));
            answer::write_table(&answer, out)?;
        }
        if let Some(file) = &self.args.plot {
            self.plot(file, &asked, &answer)?;
        }
        let status = if answer.confident { Status::Done } else { Status::NotConfident };
        Ok(Answered { status, first: answer.matches.into_iter().next().map(|best| best.song.key) })
    }

    fn refuse(&self, name: &str, refusal: &Refusal, out: &mut dyn Write) -> Result<Answered> {
        if self.args.json {
            answer::write_refusal(name, refusal, out)?;
        } else {
            let remedy = if refusal.remedy.is_empty() { String::new() } else { format!("; {}", refusal.remedy) };
            complain(format!("{name}: {}{remedy}", refusal.reason));
        }
        Ok(Answered { status: Status::Failed, first: None })
    }

    fn plot(&self, file: &Path, asked: &Asked, answer: &Answer) -> Result<()> {
        let Some(best) = answer.matches.first() else { return Ok(()) };
        let song = Contour::from_steps(best.contour.clone());
        let svg = alignment_svg(&asked.contour, &song, &best.placement, &answer::title(&best.song))?;
        std::fs::write(file, svg).with_context(|| format!("cannot write {}", file.display()))?;
        self.context.say(format!("{} shows the hum over the best match", file.display()));
        Ok(())
    }
}

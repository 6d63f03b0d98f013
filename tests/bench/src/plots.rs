//! Plots as SVG. Text is left to whoever shows them: no font of this machine is needed.

use std::path::Path;

use plotters::prelude::*;

use crate::results::Results;
use crate::run::Run;

const SIZE: (u32, u32) = (1000, 480);
const FONT: (&str, u32) = ("sans-serif", 14);
const TITLE: (&str, u32) = ("sans-serif", 20);

/// Points of a line, and its name.
type Series = (String, Vec<(f64, f64)>);

/// Draws everything that was measured into a folder.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn draw(results: &Results, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let runs = results.runs();
    let throughput = runs.iter().map(|(name, run)| {
        (
            format!("{name} ({:.0}/s offered)", run.rate),
            throughput(run),
        )
    });
    lines(
        &folder.join("throughput.svg"),
        "Completed lifecycles per second",
        "per second",
        &throughput.collect::<Vec<_>>(),
    )?;
    let backlog = runs
        .iter()
        .map(|(name, run)| ((*name).to_owned(), backlog(run)));
    lines(
        &folder.join("backlog.svg"),
        "Outbox rows not relayed and records not consumed",
        "messages",
        &backlog.collect::<Vec<_>>(),
    )?;
    // The longest run tells most.
    if let Some((name, run)) = runs.iter().max_by_key(|(_, run)| run.length) {
        let title = format!("Memory (RSS), {name}");
        lines(&folder.join("memory.svg"), &title, "MiB", &memory(run))?;
    }
    let hops = results
        .calm
        .as_ref()
        .or(results.top.as_ref().map(|top| &top.run));
    if let Some(run) = hops {
        self::hops(&folder.join("hops.svg"), run)?;
    }
    Ok(())
}

/// A mean over five seconds: single ones are noise.
fn throughput(run: &Run) -> Vec<(f64, f64)> {
    let means = run.throughput.windows(5).enumerate().map(|(second, five)| {
        let mean = five.iter().sum::<u64>() as f64 / five.len() as f64;
        (second as f64 + 2.0, mean)
    });
    means.collect()
}

fn backlog(run: &Run) -> Vec<(f64, f64)> {
    let samples = run.samples.iter();
    samples
        .map(|sample| (sample.at, sample.backlog.total() as f64))
        .collect()
}

/// Services, relay and gateway: Postgres, Kafka and this program are of another size.
fn memory(run: &Run) -> Vec<Series> {
    let names = run
        .memory
        .keys()
        .filter(|name| crate::costs::processes::is_service(name));
    let series = names.map(|name| {
        let points = run.samples.iter();
        let points = points.filter_map(|sample| Some((sample.at, *sample.memory.get(name)?)));
        (name.clone(), points.collect())
    });
    series.collect()
}

fn lines(path: &Path, title: &str, unit: &str, series: &[Series]) -> anyhow::Result<()> {
    let points = || series.iter().flat_map(|(_, points)| points);
    let most = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(1.0, f64::max) * 1.05;
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, TITLE)
        .margin(15)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..most(|point| point.0), 0.0..most(|point| point.1))?;
    chart
        .configure_mesh()
        .x_desc("seconds")
        .y_desc(unit)
        .label_style(FONT)
        .light_line_style(WHITE)
        .draw()?;
    for (index, (name, points)) in series.iter().enumerate() {
        let colour = Palette99::pick(index).stroke_width(2);
        chart
            .draw_series(LineSeries::new(points.iter().copied(), colour))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(FONT)
        .draw()?;
    root.present()?;
    Ok(())
}

/// One line for each kind of hop: from p50 to p99, and a dot at p50.
fn hops(path: &Path, run: &Run) -> anyhow::Result<()> {
    let kinds: Vec<_> = run.hops.iter().flat_map(|hops| &hops.kinds).collect();
    let most = kinds.iter().map(|(_, times)| times.p99).fold(1.0, f64::max) * 1.05;
    let height = 100 + 24 * u32::try_from(kinds.len())?;
    let root = SVGBackend::new(path, (SIZE.0, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!("Hops at {:.0} lifecycles/s: p50 (dot) to p99", run.rate);
    let mut chart = ChartBuilder::on(&root)
        .caption(title, TITLE)
        .margin(15)
        .x_label_area_size(40)
        .y_label_area_size(300)
        .build_cartesian_2d(0.0..most, (0..kinds.len()).into_segmented())?;
    let name = |at: &SegmentValue<usize>| match at {
        SegmentValue::CenterOf(index) => kinds
            .get(*index)
            .map_or(String::new(), |(kind, _)| (*kind).clone()),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .x_desc("milliseconds")
        .y_labels(kinds.len())
        .y_label_formatter(&name)
        .label_style(FONT)
        .light_line_style(WHITE)
        .draw()?;
    for (index, (_, times)) in kinds.iter().enumerate() {
        let at = SegmentValue::CenterOf(index);
        let line = [(times.p50, at.clone()), (times.p99, at.clone())];
        chart.draw_series(LineSeries::new(line, BLUE.stroke_width(3)))?;
        chart.draw_series([Circle::new((times.p50, at), 5, BLUE.filled())])?;
    }
    root.present()?;
    Ok(())
}

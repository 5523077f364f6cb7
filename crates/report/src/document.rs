use crate::plot::Svg;
use crate::{Figure, Severity, Table, Tile, html, markdown, notebook};
use serde::{Deserialize, Serialize};

/// One piece of a document, from top to bottom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Block {
    /// A section's title: level 2, or 3 within a section.
    Heading(u8, String),
    /// Running text.
    Paragraph(String),
    /// Points.
    List(Vec<String>),
    /// Rows and columns.
    Table(Table),
    /// A drawing.
    Figure(Figure),
    /// Text as it is, in a fixed-width face.
    Pre(String),
    /// Something the reader must not miss.
    Callout(Severity, String, String),
    /// Key figures, side by side.
    Tiles(Vec<Tile>),
}

/// A report: a title and blocks. Plain text everywhere; what looks like markup is shown as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    title: String,
    subtitle: String,
    blocks: Vec<Block>,
}

impl Document {
    /// An empty document.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), subtitle: String::new(), blocks: Vec::new() }
    }

    /// Sets the line under the title.
    pub fn subtitle(&mut self, text: impl Into<String>) -> &mut Self {
        self.subtitle = text.into();
        self
    }

    /// Adds any block.
    pub fn push(&mut self, block: Block) -> &mut Self {
        self.blocks.push(block);
        self
    }

    /// Begins a section.
    pub fn heading(&mut self, text: impl Into<String>) -> &mut Self {
        self.push(Block::Heading(2, text.into()))
    }

    /// Adds another document as a section of this one: its title becomes the section's, its sections become parts.
    pub fn append(&mut self, other: Self) -> &mut Self {
        self.heading(other.title);
        if !other.subtitle.is_empty() {
            self.paragraph(other.subtitle);
        }
        for block in other.blocks {
            self.push(match block {
                Block::Heading(level, text) => Block::Heading((level + 1).min(4), text),
                // its file lies beside the other document's page, not beside this one's
                Block::Figure(figure) => Block::Figure(Figure { file: None, ..figure }),
                other => other,
            });
        }
        self
    }

    /// The document as JSON, to be read again with serde and made part of another one.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Begins a part of a section.
    pub fn subheading(&mut self, text: impl Into<String>) -> &mut Self {
        self.push(Block::Heading(3, text.into()))
    }

    /// Adds running text.
    pub fn paragraph(&mut self, text: impl Into<String>) -> &mut Self {
        self.push(Block::Paragraph(text.into()))
    }

    /// Adds points.
    pub fn list<T: Into<String>>(&mut self, items: impl IntoIterator<Item = T>) -> &mut Self {
        self.push(Block::List(items.into_iter().map(Into::into).collect()))
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) -> &mut Self {
        self.push(Block::Table(table))
    }

    /// Adds a drawing that lies in the HTML only; Markdown shows its caption.
    pub fn figure(&mut self, svg: Svg, caption: impl Into<String>) -> &mut Self {
        self.push(Block::Figure(Figure { svg, caption: caption.into(), file: None }))
    }

    /// Adds a drawing that the caller also writes to `file` ([`Svg::standalone`]), beside the report.
    pub fn figure_with_file(&mut self, svg: Svg, caption: impl Into<String>, file: impl Into<String>) -> &mut Self {
        self.push(Block::Figure(Figure { svg, caption: caption.into(), file: Some(file.into()) }))
    }

    /// Adds text as it is (a prompt, a command, a configuration).
    pub fn pre(&mut self, text: impl Into<String>) -> &mut Self {
        self.push(Block::Pre(text.into()))
    }

    /// Adds a callout.
    pub fn callout(&mut self, severity: Severity, title: impl Into<String>, text: impl Into<String>) -> &mut Self {
        self.push(Block::Callout(severity, title.into(), text.into()))
    }

    /// Adds key figures.
    pub fn tiles(&mut self, tiles: Vec<Tile>) -> &mut Self {
        self.push(Block::Tiles(tiles))
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The line under the title; may be empty.
    pub fn subtitle_text(&self) -> &str {
        &self.subtitle
    }

    /// What the document holds.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The document as one self-contained page.
    pub fn to_html(&self) -> String {
        html::page(self)
    }

    /// The document as Markdown (GitHub's dialect).
    pub fn to_markdown(&self) -> String {
        markdown::text(self)
    }

    /// The document as an executed Jupyter notebook (nbformat 4.5). Its code cells show the tables and figures of the page
    /// `page`, the file that [`Document::to_html`] goes into, beside the notebook.
    pub fn to_notebook(&self, page: &str) -> String {
        notebook::text(self, page)
    }
}

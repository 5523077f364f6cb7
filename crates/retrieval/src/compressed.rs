use crate::lexical::words_of;
use crate::{Bm25Weights, Error};
use tantivy::directory::RamDirectory;
use tantivy::postings::Postings;
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{DocSet, Index, ReloadPolicy, Searcher, SingleSegmentIndexWriter, TERMINATED, TantivyDocument, Term};

/// What the writer may hold before it compresses, in bytes.
const BUDGET: usize = 256 << 20;

/// As [`Bm25`](crate::Bm25), with the lists of texts compressed by tantivy: the same words, the same formula, the same
/// scores to the last bit, in a fraction of the memory.
///
/// tantivy's own search is not used: its document frequencies are those of the whole index, which at `t` would be those
/// of the future, and it rounds lengths. Here it keeps the lists, in the order in which the texts became known, and
/// those are read up to the last text known.
pub struct TantivyBm25 {
    weights: Bm25Weights,
    searcher: Searcher,
    field: Field,
    lengths: Vec<u32>,
    running: Vec<u64>,
}

impl std::fmt::Debug for TantivyBm25 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TantivyBm25").field("texts", &self.lengths.len()).finish_non_exhaustive()
    }
}

impl TantivyBm25 {
    /// Indexes texts in the order in which they became known.
    ///
    /// # Errors
    /// tantivy fails, such as for want of memory.
    pub fn build<'a>(texts: impl IntoIterator<Item = &'a str>, weights: Bm25Weights) -> Result<Self, Error> {
        let mut schema = Schema::builder();
        let indexing =
            TextFieldIndexing::default().set_index_option(IndexRecordOption::WithFreqs).set_fieldnorms(false);
        let field = schema.add_text_field("words", TextOptions::default().set_indexing_options(indexing));
        // One segment, written by one thread: a document's number is its place in the order.
        let mut writer: SingleSegmentIndexWriter =
            Index::builder().schema(schema.build()).single_segment_index_writer(RamDirectory::create(), BUDGET)?;
        let (mut lengths, mut running, mut all) = (Vec::new(), Vec::new(), 0u64);
        for text in texts {
            let words = words_of(text);
            lengths.push(words.len() as u32);
            all += words.len() as u64;
            running.push(all);
            let tokens =
                words.into_iter().enumerate().map(|(position, text)| Token { position, text, ..Token::default() });
            let mut document = TantivyDocument::new();
            document
                .add_pre_tokenized_text(field, PreTokenizedString { text: String::new(), tokens: tokens.collect() });
            writer.add_document(document)?;
        }
        let reader = writer.finalize()?.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { weights, searcher: reader.searcher(), field, lengths, running })
    }

    /// As [`Bm25::scores`](crate::Bm25::scores).
    pub fn scores(&self, query: &str, known: usize) -> Result<Vec<f64>, Error> {
        let known = known.min(self.lengths.len());
        let mut scores = vec![0.0; known];
        let Some(words) = known.checked_sub(1).map(|last| self.running[last]) else { return Ok(scores) };
        let mean = words as f64 / known as f64;
        let Some(segment) = self.searcher.segment_readers().first() else { return Ok(scores) };
        let lists = segment.inverted_index(self.field)?;
        let mut found: Vec<(usize, u32)> = Vec::new();
        for word in words_of(query) {
            let term = Term::from_field_text(self.field, &word);
            let list = lists.read_postings(&term, IndexRecordOption::WithFreqs).map_err(tantivy::TantivyError::from)?;
            let Some(mut list) = list else { continue };
            found.clear();
            while list.doc() != TERMINATED && (list.doc() as usize) < known {
                found.push((list.doc() as usize, list.term_freq()));
                list.advance();
            }
            let idf = Bm25Weights::idf(known, found.len());
            for (text, count) in &found {
                scores[*text] += self.weights.word(idf, *count, self.lengths[*text], mean);
            }
        }
        Ok(scores)
    }
}

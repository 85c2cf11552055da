//! A reverse proxy on hyper, as `countersign serve` is one, that lets everything pass: it reads the body, hashes it if told, and
//! forwards.

use std::{error::Error, hint::black_box, io, net::SocketAddr};

use bytes::Bytes;
use clap::Parser;
use hmac::{Hmac, KeyInit, Mac};
use http::{Request, Response, Uri, header, uri::Scheme};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use sha2::Sha256;
use tokio::net::TcpListener;

#[derive(Clone, Parser)]
struct Settings {
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    upstream: SocketAddr,
    /// Computes the HMAC of each body, as any verifier must.
    #[arg(long)]
    hash: bool,
}

type Upstream = Client<HttpConnector, Full<Bytes>>;

#[tokio::main]
async fn main() -> io::Result<()> {
    let settings = Settings::parse();
    let listener = TcpListener::bind(settings.listen).await?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let upstream: Upstream = Client::builder(TokioExecutor::new()).build(connector);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (settings, upstream) = (settings.clone(), upstream.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| forward(settings.clone(), upstream.clone(), request));
            // The load generator ends connections as it likes.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn forward(
    settings: Settings,
    upstream: Upstream,
    request: Request<Incoming>,
) -> Result<Response<Incoming>, Box<dyn Error + Send + Sync>> {
    let (mut head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    if settings.hash {
        let mac = Hmac::<Sha256>::new_from_slice(b"0123456789abcdef")?.chain_update(&body);
        black_box(mac.finalize());
    }
    let mut target = head.uri.into_parts();
    target.scheme = Some(Scheme::HTTP);
    target.authority = Some(settings.upstream.to_string().parse()?);
    head.uri = Uri::from_parts(target)?;
    head.headers.remove(header::CONNECTION);
    Ok(upstream.request(Request::from_parts(head, Full::new(body))).await?)
}

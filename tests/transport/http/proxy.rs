//! The proxies that the environment names. A program's environment can't be changed safely while it
//! runs, so the test runs itself again.

use std::process::Command;

use sealift::mirror::Hosts;
use sealift::mirror::http::{Http, HttpOptions, Proxies};
use url::Url;

use super::quick;
use crate::support::server::{Server, reply};
use crate::support::tools::run;

const TARGET: &str = "SEALIFT_TEST_TARGET";

/// What the test program does as the one behind a proxy; otherwise it does nothing.
#[test]
fn child() {
    let Ok(target) = std::env::var(TARGET) else { return };
    let url = Url::parse(&target).unwrap();
    let hosts = Hosts::new([], true).and(&url);
    let proxies = Proxies::of(|name| std::env::var(name).ok()).unwrap();
    let http = Http::new(HttpOptions { proxies, ..quick() }).unwrap();
    if let Err(fault) = http.small(&url, &hosts, 9, None) {
        println!("{fault}");
    }
}

#[test]
fn the_environment_names_the_proxy() {
    let proxy = Server::new(|_, _| reply("404 Not Found", &[], b""));
    let near = Server::new(|_, _| reply("200 OK", &[], b""));
    let ask = |target: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "http::proxy::child"]).env(TARGET, target);
        for name in
            ["HTTP_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "no_proxy"]
        {
            command.env_remove(name);
        }
        command.env_remove("REQUEST_METHOD");
        let with_password = proxy.url("").replace("http://", "http://u:hush@");
        command.env("http_proxy", &with_password).env("HTTPS_PROXY", &with_password);
        command.env("NO_PROXY", "127.0.0.1");
        let ran = run(&mut command);
        assert!(!ran.text().contains("hush"), "{}", ran.text());
        ran.succeeded();
        proxy.seen().last().map(|it| format!("{} {}", it.method, it.target))
    };
    assert_eq!(ask(&near.url("/")), None);
    assert_eq!(near.seen().len(), 1);
    assert_eq!(near.seen()[0].header("proxy-authorization"), None);
    assert_eq!(ask("http://v.invalid/a").as_deref(), Some("GET http://v.invalid/a"));
    assert_eq!(ask("https://v.invalid/a").as_deref(), Some("CONNECT v.invalid:443"));
    for request in proxy.seen() {
        assert_eq!(request.header("proxy-authorization"), Some("Basic dTpodXNo"));
        assert_eq!(request.header("authorization"), None);
    }
}

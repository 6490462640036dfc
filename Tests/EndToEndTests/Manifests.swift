/// The manifests that the end-to-end tests commit.
enum Manifests {
    static func deployment(_ arguments: [String], replicas: Int = 2, extra: String = "") -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
        spec:
          replicas: \(replicas)
          selector:
            matchLabels:
              app: web
          strategy:
            rollingUpdate:
              maxSurge: 1
              maxUnavailable: 0
          template:
            metadata:
              labels:
                app: web
            spec:
              terminationGracePeriodSeconds: 5
              containers:
                - name: web
                  image: martlet.dev/echo
                  args: [\(arguments.map { "\"\($0)\"" }.joined(separator: ", "))]
                  ports:
                    - name: http
                      containerPort: 8080
                  readinessProbe:
                    httpGet:
                      path: /readyz
                      port: http
                    periodSeconds: 1
                    failureThreshold: 1
        \(extra)
        """
    }

    static let service = """
        apiVersion: v1
        kind: Service
        metadata:
          name: web
        spec:
          selector:
            app: web
          ports:
            - port: 8080
              targetPort: http
        """

    static func configMap(_ name: String, _ value: String) -> String {
        """
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: \(name)
        data:
          value: "\(value)"
        """
    }
}
